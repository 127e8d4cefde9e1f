import { runInThisContext } from 'node:vm';
import { expect } from 'chai';
import { parameterNames } from '../../../src/worker/interfaces/parameter-names.ts';

/** The functions as they are written, by their source: a formatter or a compiler would rewrite them. */
const cases: ReadonlyArray<[source: string, names: string[] | undefined]> = [
  ['(req, res) => res.end("x")', ['req', 'res']],
  ['(e,t)=>t.end()', ['e', 't']],
  ['async (env, startResponse) => []', ['env', 'startResponse']],
  ['async(env,startResponse)=>[]', ['env', 'startResponse']],
  ['request => request', ['request']],
  ['async request => request', ['request']],
  ['$ => $', ['$']],
  ['() => []', []],
  ['function (req, res) {}', ['req', 'res']],
  ['function named(req, res) {}', ['req', 'res']],
  ['function* (env, start_response) {}', ['env', 'start_response']],
  ['async function* many(environ, startResponse,) {}', ['environ', 'startResponse']],
  ['({ method(req, res) {} }).method', ['req', 'res']],
  ['({ async method(req, res) {} }).method', ['req', 'res']],
  ['({ *"a (b, c"(req, res) {} })["a (b, c"]', ['req', 'res']],
  ['({ [(() => "k")()](req, res) {} }).k', ['req', 'res']],
  ['({ 7(req, res) {} })[7]', ['req', 'res']],
  ['(req, res = 1) => {}', ['req', 'res']],
  ['(req, res = ")", next = \'(,\') => {}', ['req', 'res', 'next']],
  ['(req = (a, b) => [a, b], res = { c: [1, 2] }) => {}', ['req', 'res']],
  ['(req = `,${ `)${"}"}` },`, res) => {}', ['req', 'res']],
  ['(req = /[/)],\\(/, res) => {}', ['req', 'res']],
  ['(req = 4 / 2, res = 1 / 1) => {}', ['req', 'res']],
  ['({ PATH_INFO, QUERY_STRING: { length } = "" }, startResponse) => {}', ['', 'startResponse']],
  ['([first, second], res) => {}', ['', 'res']],
  ['(...all) => {}', ['all']],
  ['(req, ... rest) => {}', ['req', 'rest']],
  ['(/* env, */ req, // (startResponse\n res) => {}', ['req', 'res']],
  ['function /* (env) */ named /* , */ (req /* a */, res) {}', ['req', 'res']],
  ['(größe, \u{1d4d0}) => {}', ['größe', '\u{1d4d0}']],
  ['(req, res) => (env, startResponse) => []', ['req', 'res']],
  ['((req, res) => {}).bind(null)', undefined],
  ['Math.max', undefined],
];

describe('parameter names', () => {
  for (const [source, names] of cases) {
    it(`are read from ${JSON.stringify(source)}`, () => {
      const value: unknown = runInThisContext(`(${source})`);
      expect(parameterNames(value as (...args: never[]) => unknown)).to.deep.equal(names);
    });
  }
});
