import { expect } from 'chai';
import type { Environ } from '../../../src/shared/application.ts';
import type { LogFields, Logger } from '../../../src/shared/log/log.ts';
import { silentLogger } from '../../../src/shared/log/log.ts';
import { runPostHooks } from '../../../src/worker/request/posthooks.ts';

/** What log lines name the request by. */
const logFields = { request: 'GET /a?b', requestId: 'r-1', traceparent: undefined };
const request = { logFields };

function setUp(...hooks: unknown[]) {
  const errors: LogFields[] = [];
  const log: Logger = { ...silentLogger, error: (event, fields) => void errors.push({ event, ...fields }) };
  const env = { 'evy.posthooks': hooks } as unknown as Environ;
  return { env, log, errors };
}

describe('post hooks', () => {
  it('are called with the environment, the arguments and the keyword object, in the order they were pushed', () => {
    const calls: unknown[][] = [];
    const record = (...args: unknown[]) => void calls.push(args);
    const { env, log } = setUp(
      [record, ['arg1', 'arg2'], { kwarg3: 3, kwarg4: 4 }],
      [record, ['only']],
      [record],
      [record, undefined, { k: 1 }],
    );
    expect(runPostHooks(env, 0, log, request)).to.deep.equal([]);
    expect(calls).to.deep.equal([
      [env, 'arg1', 'arg2', { kwarg3: 3, kwarg4: 4 }],
      [env, 'only'],
      [env],
      [env, { k: 1 }],
    ]);
  });

  it('that throw are logged with their request, and the others still run', async () => {
    const ran: string[] = [];
    const { env, log, errors } = setUp(
      [
        () => {
          throw new Error('first');
        },
      ],
      [async () => Promise.reject(new Error('second'))],
      ['no function'],
      null,
      [
        () => {
          // oxlint-disable-next-line no-throw-literal typescript/only-throw-error -- what applications do
          throw 'a string';
        },
      ],
      [() => ran.push('last')],
    );
    await Promise.all(runPostHooks(env, 0, log, request));
    expect(ran).to.deep.equal(['last']);
    expect(errors.map(({ event }) => event)).to.deep.equal(Array.from({ length: 5 }, () => 'hook.failed'));
    for (const line of errors) expect(line).to.include(logFields);
    expect(errors.map(({ error }) => error)).to.include.members([
      'first',
      'second',
      'a value that is no Error was thrown: a string',
    ]);
  });

  it('that return promises are told of, and their promises never reject', async () => {
    const done: string[] = [];
    const hook = async (_env: Environ, name: string) => {
      await Promise.resolve();
      done.push(name);
    };
    const { env, log } = setUp([hook, ['a']], [() => 'no promise'], [hook, ['b']]);
    const pending = runPostHooks(env, 0, log, request);
    expect(pending).to.have.lengthOf(2);
    expect(done).to.deep.equal([]);
    await Promise.all(pending);
    expect(done).to.deep.equal(['a', 'b']);
  });

  it('may push further ones, which run too', () => {
    const ran: string[] = [];
    const { env, log } = setUp([(given: Environ) => given['evy.posthooks'].push([() => ran.push('second')])]);
    expect(runPostHooks(env, 0, log, request)).to.have.lengthOf(0);
    expect(ran).to.deep.equal(['second']);
  });

  it('that ran before are left out', () => {
    const ran: string[] = [];
    const { env, log } = setUp([() => ran.push('old')], [() => ran.push('new')]);
    expect(runPostHooks(env, 1, log, request)).to.have.lengthOf(0);
    expect(ran).to.deep.equal(['new']);
  });
});
