/**
 * Whether evy runs here at all. Loaded before anything else, so it uses nothing that an old Node lacks: on Node 16 the
 * answer must still be a sentence and not a syntax error.
 */

const leastNode: readonly [major: number, minor: number] = [20, 19];

/** The refusal, or undefined when evy runs here. */
export function refusal(platform: string, nodeVersion: string): string | undefined {
  if (platform === 'win32') {
    return 'evy does not run on Windows: it runs on Linux, and on macOS for development (WSL is Linux)';
  }
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [leastMajor, leastMinor] = leastNode;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
  return `evy needs Node ${leastMajor}.${leastMinor} or later, and this is Node ${nodeVersion}`;
}
