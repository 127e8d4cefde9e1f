import { expect } from 'chai';
import { errorText, exitCodeOf } from '../../src/cli/error-text.ts';
import { EvyError } from '../../src/shared/errors.ts';

describe('error text', () => {
  it('is one line that says what is wrong', () => {
    const error = new EvyError('ADDRESS_IN_USE', '--port 80: in use', { cause: new Error('EADDRINUSE') });
    expect(errorText(error)).to.equal('evy: --port 80: in use\n');
    expect(exitCodeOf(error)).to.equal(3);
  });

  it('is a line for each of several wrong values', () => {
    expect(errorText(new EvyError('BAD_OPTION', 'a\nb'))).to.equal('evy: a\nevy: b\n');
  });

  it("shows the stack of the user's own code", () => {
    const cause = new Error('boom');
    cause.stack = 'Error: boom\n    at /srv/app.js:1:1';
    const error = new EvyError('APP_LOAD_FAILED', 'app.js failed', { cause });
    expect(errorText(error)).to.equal('evy: app.js failed\n\nError: boom\n    at /srv/app.js:1:1\n');
    expect(exitCodeOf(error)).to.equal(4);
  });

  it('says that a fault is its own, with all there is', () => {
    expect(errorText(new TypeError('x is not a function'))).to.match(
      /^evy: this is an error of evy itself; please report it\nTypeError: x[^]*error-text\.test/,
    );
    expect(errorText('text')).to.match(/^evy: this is an error of evy itself.*\ntext\n$/);
    expect(exitCodeOf(new TypeError('x'))).to.equal(1);
  });
});
