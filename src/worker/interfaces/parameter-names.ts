/**
 * Returns the names of a function's parameters, from its source. Pure. A parameter that is a pattern has the name ''.
 * Nothing is known of native and bound functions.
 */

const identifier = /^(?:\.\.\.)?\s*([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)/u;
/** characters that a regular expression may follow; after any other, a slash divides */
const beforeRegExp = '=(,[{:;!&|?+-*%<>~^';
const opening = '([{';
const closing = ')]}';

export function parameterNames(value: (...args: never[]) => unknown): string[] | undefined {
  const source = Function.prototype.toString.call(value);
  return /\{\s*\[native code\]\s*\}\s*$/.test(source) ? undefined : namesIn(source);
}

function namesIn(source: string): string[] | undefined {
  let text = '';
  let depth = 0;
  for (const piece of piecesOf(source)) {
    // `x => ...` and `async x => ...`
    if (depth === 0 && piece === '>' && text.endsWith('=')) return [text.slice(0, -1).trim().split(/\s+/).at(-1)!];
    if (closing.includes(piece)) depth -= 1;
    if (depth === 0 && piece === ')') return split(text);
    // The text before the list is keywords and a name, which may be computed.
    if (depth === 0 && piece === '(') text = '';
    else text += piece;
    if (opening.includes(piece)) depth += 1;
  }
  return undefined;
}

function split(list: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of `${list},`) {
    if (opening.includes(character)) depth += 1;
    if (closing.includes(character)) depth -= 1;
    if (depth > 0 || character !== ',') current += character;
    else {
      // A trailing comma is allowed.
      if (current.trim() !== '') names.push(identifier.exec(current.trim())?.[1] ?? '');
      current = '';
    }
  }
  return names;
}

/**
 * Yields the source character by character, without comments, and with one quote in place of each string or regular
 * expression.
 */
function* piecesOf(source: string): Generator<string, void, undefined> {
  let previous = '';
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at]!;
    const next = source[at + 1];
    const isComment = character === '/' && (next === '/' || next === '*');
    const isText =
      `'"\``.includes(character) || (character === '/' && !isComment && beforeRegExp.includes(previous || '='));
    if (isComment) {
      const end = next === '/' ? source.indexOf('\n', at) : source.indexOf('*/', at + 2) + 1;
      if (end <= 0) return;
      at = end;
      yield ' ';
    } else if (isText) {
      at = endOfText(source, at);
      previous = '"';
      yield previous;
    } else {
      if (character.trim() !== '') previous = character;
      yield character;
    }
  }
}

/** Returns where the string or regular expression ends that begins with this quote, backquote or slash. */
function endOfText(source: string, from: number): number {
  const quote = source[from]!;
  let inClass = false;
  for (let at = from + 1; at < source.length; at += 1) {
    const character = source[at]!;
    if (character === '\\') at += 1;
    else if (quote === '/' && character === '[') inClass = true;
    else if (quote === '/' && character === ']') inClass = false;
    else if (quote === '`' && character === '$' && source[at + 1] === '{') at = endOfExpression(source, at + 2);
    else if (character === quote && !inClass) return at;
  }
  return source.length;
}

/** Returns the brace that ends an expression in a template. */
function endOfExpression(source: string, from: number): number {
  let depth = 1;
  for (let at = from; at < source.length; at += 1) {
    const character = source[at]!;
    if (`'"\``.includes(character)) at = endOfText(source, at);
    else if (character === '{') depth += 1;
    else if (character === '}' && (depth -= 1) === 0) return at;
  }
  return source.length;
}
