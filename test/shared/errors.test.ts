import { expect } from 'chai';
import { EvyError, toError } from '../../src/shared/errors.ts';

const boom = () => {
  throw new Error('boom');
};

describe('what was thrown, as an Error', () => {
  it('is itself when it is one', () => {
    const ours = Object.assign(new EvyError('APP_FAILED', 'x'), { stack: [] });
    for (const error of [new Error('x'), new TypeError('x'), new EvyError('APP_FAILED', 'x'), ours]) {
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
  ] as const) {
    it(`says ${what}, and never throws`, () => {
      const { message, stack } = toError(thrown);
      expect(message)
        .to.match(/^a value that is no Error was thrown: /)
        .and.include(shown);
      expect(stack).to.be.a('string');
    });
  }

  it('has of an Error what is text', () => {
    const thrown = new TypeError('x');
    const made = thrown.stack;
    const { message, stack } = toError(Object.defineProperty(thrown, 'message', { get: boom }));
    expect([message, stack]).to.deep.equal(['an Error was thrown whose message is not text', made]);
    for (const wrong of [undefined, {}, []]) {
      const noStack = toError(Object.assign(new TypeError('x'), { stack: wrong }));
      expect([noStack.message, noStack.stack]).to.deep.equal(['x', 'Error: x']);
    }
  });
});
