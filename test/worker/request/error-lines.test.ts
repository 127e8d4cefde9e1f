import { expect } from 'chai';
import { humanLine, silentLogger } from '../../../src/shared/log/log.ts';
import { ErrorLines } from '../../../src/worker/request/environ.ts';

describe('lines of wsgi.errors', () => {
  it('are one line of the log each, whatever is in them', () => {
    const lines: string[] = [];
    const error = (event: string, fields = {}): void =>
      void lines.push(humanLine({ time: 0, level: 'error', event, ...fields }, false));
    new ErrorLines({ ...silentLogger, error }).write('a\n12:00:00 info worker.ready\r\x1b[31m\n\n\x9bb');
    expect(lines.map((line) => line.slice(line.indexOf('text=')))).to.deep.equal([
      'text=a\n',
      'text="12:00:00 info worker.ready\\r\\u001b[31m"\n',
      'text="\\u009bb"\n',
    ]);
  });
});
