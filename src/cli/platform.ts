/**
 * Checks the platform and the Node version. It is loaded before anything else and uses only old syntax, so that even
 * Node 16 prints a sentence and not a syntax error.
 */

const leastNode: readonly [major: number, minor: number] = [20, 19];

/** Returns the reason for a refusal, or undefined when evy can run. */
export function refusal(platform: string, nodeVersion: string): string | undefined {
  if (platform === 'win32') {
    return 'evy does not run on Windows: it runs on Linux, and on macOS for development (WSL is Linux)';
  }
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [leastMajor, leastMinor] = leastNode;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return `evy needs Node ${leastMajor}.${leastMinor} or later, and this is Node ${nodeVersion}`;
}
