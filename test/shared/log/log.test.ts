import { expect } from 'chai';
import { humanLine } from '../../../src/shared/log/log.ts';
import type { LogFields } from '../../../src/shared/log/log.ts';

const failed = (fields: LogFields & { stack?: string }): string =>
  humanLine({ time: 0, level: 'error', event: 'app.failed', ...fields }, false);
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const obeyed = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

describe('a log line for people', () => {
  it('has time, level, event and fields, with quotes where a value could be misread', () => {
    const line = failed({ code: 'APP_FAILED', request: 'GET /', count: 2 });
    expect(line).to.match(/^\d\d:\d\d:\d\d error app\.failed code=APP_FAILED request="GET \/" count=2\n$/);
  });

  it('has each line of a stack behind an indentation, so that none passes for a line of the log', () => {
    const line = failed({ stack: 'Error: x\nworker.ready forged\r12:00:00 info worker.ready\u2028also\n\tat f' });
    const [, ...stack] = line.trimEnd().split('\n');
    expect(stack).to.deep.equal([
      '    Error: x',
      '    worker.ready forged\\u000d12:00:00 info worker.ready\u2028also',
      '    \tat f',
    ]);
  });

  it('shows what a terminal would obey, in fields and stacks', () => {
    for (const text of ['\x1b[31m', '\x9b31m', '\x7f', '\0', 'a b\x1b]0;x\x07', '\x85worker.ready']) {
      const line = failed({ error: text, list: [text], [text]: 1, stack: `Error: ${text}\n    at f` });
      expect(line, JSON.stringify(text)).to.not.match(obeyed);
    }
    expect(failed({ error: '\x1b[31m' })).to.include('error="\\u001b[31m"\n');
    expect(failed({ error: '\x9b31m' })).to.include('error="\\u009b31m"\n');
  });
});
