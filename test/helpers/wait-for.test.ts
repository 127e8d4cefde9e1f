import { expect } from 'chai';
import { waitFor, withDeadline } from './wait-for.ts';

const message = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );

describe('waitFor', () => {
  it('returns the first answer that is one', async () => {
    let asked = 0;
    expect(await waitFor('third', () => (++asked === 3 ? 'three' : undefined), { everyMs: 1 })).to.equal('three');
    expect(asked).to.equal(3);
  });
  it('says at the deadline what was waited for', async () => {
    expect(await message(waitFor('the moon', () => false, { withinMs: 5, everyMs: 1 }))).to.equal(
      'not within 5 ms: the moon',
    );
  });
});

describe('withDeadline', () => {
  it('passes results and errors on', async () => {
    expect(await withDeadline('a result', Promise.resolve(1), 1_000)).to.equal(1);
    expect(await message(withDeadline('a result', Promise.reject(new Error('own')), 1_000))).to.equal('own');
  });
  it('adds what is known at the deadline', async () => {
    const never = new Promise(() => {});
    expect(await message(withDeadline('a result', never, 5, () => ', only silence'))).to.equal(
      'not within 5 ms: a result, only silence',
    );
  });
});
