/**
 * Which export of a module is the one that is meant. Pure.
 *
 * CommonJS arrives in several forms: `module.exports` as `default`, transpiled `exports.default` as `default.default`,
 * named exports that Node's lexer did not see only inside `default`.
 */

export type PickedExport = { found: true; name: string; value: unknown } | { found: false; names: string[] };

type Names = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Names {
  return typeof value === 'object' && value !== null;
}

/** `default.default` of transpiled CommonJS; a plain `default` otherwise. */
export function unwrapDefault(value: unknown): unknown {
  const marked = isObject(value) && 'default' in value && ('__esModule' in value || Object.keys(value).length === 1);
  return marked ? value['default'] : value;
}

/**
 * The named export, or else the first of the default export and `usualNames` that `fits`; when none does, the first
 * that exists, so that the message can say what it is.
 */
export function pickExport(
  module: Names,
  exportName: string | undefined,
  usualNames: readonly string[],
  fits: (value: unknown) => boolean,
): PickedExport {
  const inner = isObject(module['default']) ? module['default'] : {};
  const named = (name: string): unknown => (name in module ? module[name] : inner[name]);
  const wanted = exportName === undefined ? ['default', ...usualNames] : [exportName];
  const present = wanted
    .map((name) => ({ name, value: name === 'default' ? unwrapDefault(module['default']) : named(name) }))
    .filter(({ value }) => value !== undefined);
  const chosen = present.find(({ value }) => fits(value)) ?? present[0];
  if (chosen !== undefined) return { found: true, ...chosen };
  const names = new Set([...Object.keys(module), ...Object.keys(inner)]);
  for (const internal of ['__esModule', 'module.exports']) names.delete(internal);
  return { found: false, names: [...names] };
}
