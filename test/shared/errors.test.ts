import { expect } from 'chai';
import { EvyError, toError } from '../../src/shared/errors.ts';

const boom = () => {
  throw new Error('boom');
};

describe('what was thrown, as an Error', () => {
  it('is itself when it is one', () => {
    for (const error of [new Error('x'), new TypeError('x'), new EvyError('APP_FAILED', 'x')]) {
      expect(toError(error)).to.equal(error);
    }
  });

  for (const [what, thrown, shown] of [
    ['text', 'text', 'text'],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('x'), 'Symbol(x)'],
    ['an object', { toString: () => 'me' }, 'me'],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 }), '{ a: 1 }'],
    ['one whose toString throws', { toString: boom }, 'toString'],
    [
      'one that cannot even be inspected',
      { toString: boom, [Symbol.for('nodejs.util.inspect.custom')]: boom },
      'object',
    ],
    ['an Error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: boom }), ''],
    ['an Error whose stack is none', Object.assign(new Error('x'), { stack: {} }), 'Error: x'],
  ] as const) {
    it(`says ${what}, and never throws`, () => {
      const { message, stack } = toError(thrown);
      expect(message)
        .to.match(/^not an Error was thrown: /)
        .and.include(shown);
      expect(stack).to.be.a('string');
    });
  }
});
