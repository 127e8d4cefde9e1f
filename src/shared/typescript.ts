/**
 * Loads TypeScript modules on every supported Node, for applications and for configuration files.
 *
 * Node's own type stripping is used where it is on (22.18 and later), except for files inside node_modules, which Node
 * refuses. Otherwise `tsx` is used, if it is installed where the module could import it or in the working directory.
 * evy does not depend on tsx.
 */
import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EvyError } from './errors.ts';
import { nodeModule } from './lazy-node.ts';

export type TypeScriptPlan =
  /** nothing to do: JavaScript, or Node was started with a loader */
  'none' | 'native' | 'tsx';

export interface TypeScriptFacts {
  /** `process.features.typescript`: false or undefined when Node cannot strip types */
  native: unknown;
  /** flags of this process and NODE_OPTIONS, which may name a loader */
  nodeFlags: string;
}

/** Decides how a file is loaded. Pure. */
export function planTypeScript(path: string, facts: TypeScriptFacts): TypeScriptPlan {
  if (!/\.[cm]?ts$/.test(path)) return 'none';
  // A loader that the user chose takes precedence.
  if (/\b(tsx|ts-node|swc-node|jiti)\b/.test(facts.nodeFlags)) return 'none';
  const native = facts.native !== undefined && facts.native !== false;
  return native && !path.includes(`${sep}node_modules${sep}`) ? 'native' : 'tsx';
}

function currentFacts(): TypeScriptFacts {
  const features = process.features as { typescript?: unknown };
  return {
    native: features.typescript,
    nodeFlags: `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`,
  };
}

function resolveTsx(from: string): string | undefined {
  try {
    // resolve() does not always follow a link to tsx (workspaces), but the imports of tsx are resolved from its real
    // path.
    return realpathSync(nodeModule().createRequire(from).resolve('tsx'));
  } catch {
    return undefined;
  }
}

let tsxActive = false;

/**
 * Enables this process to import the file; to be called before the import.
 * @throws {EvyError} NO_TYPESCRIPT
 */
export async function enableTypeScript(path: string, cwd = process.cwd()): Promise<TypeScriptPlan> {
  const plan = planTypeScript(path, currentFacts());
  if (plan !== 'tsx' || tsxActive) return plan;
  const tsx = resolveTsx(path) ?? resolveTsx(join(cwd, 'any.js'));
  if (tsx === undefined) {
    throw new EvyError(
      'NO_TYPESCRIPT',
      `${path} is TypeScript, which Node ${process.versions.node} cannot run: install tsx (npm install tsx), use Node 22.18 or later, or compile the file`,
    );
  }
  // The main module of tsx registers itself for both import and require, as in `node --import tsx`.
  await import(pathToFileURL(tsx).href);
  tsxActive = true;
  return plan;
}

/** Returns a hint for an error that Node's type stripping may have caused; an empty string otherwise. */
export function typeScriptHint(plan: TypeScriptPlan, thrown: unknown): string {
  if (plan !== 'native') return '';
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  const unsupported =
    code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ||
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'ERR_UNSUPPORTED_DIR_IMPORT';
  // Without "type", Node detects the syntax; with "commonjs", which npm init writes, it does not.
  if (thrown instanceof SyntaxError && /\b(export|import)\b/.test(thrown.message)) {
    return ' (for ES module syntax set "type": "module" in package.json, or name the file .mts)';
  }
  return unsupported
    ? " (Node only strips types; with tsx installed, NODE_OPTIONS='--import tsx' compiles all of TypeScript)"
    : '';
}
