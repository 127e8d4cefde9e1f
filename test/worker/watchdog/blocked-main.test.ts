import type { Debugger, Runtime } from 'node:inspector';
import { expect } from 'chai';
import { requestsFrom, stackText } from '../../../src/worker/watchdog/blocked-main.ts';

const frame = (functionName: string, scriptId: string, lineNumber: number, columnNumber?: number) =>
  ({ functionName, url: '', location: { scriptId, lineNumber, columnNumber } }) as unknown as Debugger.CallFrame;

const returned = (value: unknown) => ({ result: { type: 'string', value } }) as Runtime.EvaluateReturnType;

describe('the stack of a blocked thread', () => {
  const urls = new Map([['7', 'file:///app.mjs']]);

  it('is written as that of an Error, counting from 1', () => {
    const frames = [frame('spinsForEver', '7', 1, 26), frame('', '7', 9), frame('eval', '8', 0, 0)];
    expect(stackText(frames, urls).split('\n')).to.deep.equal([
      '    at spinsForEver (file:///app.mjs:2:27)',
      '    at file:///app.mjs:10:1',
      '    at eval (<anonymous>:1:1)',
    ]);
  });

  it('ends after 40 frames and says how many are left', () => {
    const lines = stackText(Array(11_000).fill(frame('recurses', '7', 0)), urls).split('\n');
    expect(lines).to.have.length(41);
    expect(lines.at(-1)).to.equal('    ... 10960 more');
  });
});

describe('the requests of a blocked thread', () => {
  it('are what its function says', () => {
    const requests = [{ method: 'GET', target: '/', peer: '::1', ageMs: 3 }];
    const value = JSON.stringify({ requests, requestCount: 101 });
    expect(requestsFrom(returned(value))).to.deep.equal({ requests, requestCount: 101 });
  });

  for (const value of [undefined, 'no JSON', 'null', '{}', '{"requests":7}', 7]) {
    it(`are unknown when it says ${String(value)}`, () => {
      expect(requestsFrom(returned(value))).to.deep.equal({ requests: [] });
    });
  }
  it('are unknown when it says nothing', () => {
    expect(requestsFrom(undefined)).to.deep.equal({ requests: [] });
  });
});
