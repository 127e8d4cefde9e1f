/**
 * TypeScript modules on every supported Node, for applications and for configuration files.
 *
 * Node's own type stripping where it is on (22.18 and later), except for files inside node_modules, which Node
 * refuses. Otherwise `tsx`, if it is installed where the module could import it, or in the working directory. It
 * is never a dependency of evy: who writes JavaScript does not pay for it.
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EvyError } from './errors.ts';

export type TypeScriptPlan =
  /** nothing to do: JavaScript, or a loader is there already */
  'none' | 'native' | 'tsx';

export interface TypeScriptFacts {
  /** `process.features.typescript`: false or undefined when Node cannot strip types */
  native: unknown;
  /** flags of this process, and NODE_OPTIONS, where a loader may be named */
  nodeFlags: string;
}

/** Which way a file is run. Pure. */
export function planTypeScript(path: string, facts: TypeScriptFacts): TypeScriptPlan {
  if (!/\.[cm]?ts$/.test(path)) return 'none';
  // Whoever started Node with a loader wants that one.
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
    // Its own imports are looked for where it really is: a link to it, as workspaces have, is not always followed by resolve().
    return realpathSync(createRequire(from).resolve('tsx'));
  } catch {
    return undefined;
  }
}

let tsxActive = false;

/**
 * Makes this process able to import the file. To be called before the import.
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
  // The main module of tsx is what `node --import tsx` names: it adds itself to both import and require.
  await import(pathToFileURL(tsx).href);
  tsxActive = true;
  return plan;
}

/** What to try when Node's own type stripping is not enough for a module; empty when it is not about that. */
export function typeScriptHint(plan: TypeScriptPlan, thrown: unknown): string {
  if (plan !== 'native') return '';
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  const unsupported =
    code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' ||
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'ERR_UNSUPPORTED_DIR_IMPORT';
  // Without "type" Node looks at the syntax; with "commonjs", which npm init writes, it does not.
  if (thrown instanceof SyntaxError && /\b(export|import)\b/.test(thrown.message)) {
    return ' (for ES module syntax set "type": "module" in package.json, or name the file .mts)';
  }
  return unsupported
    ? " (Node only strips types; with tsx installed, NODE_OPTIONS='--import tsx' compiles all of TypeScript)"
    : '';
}
