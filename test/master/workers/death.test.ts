import { expect } from 'chai';
import { deathError } from '../../../src/master/workers/death.ts';

describe('the reason of a death', () => {
  const worker = {
    record: { failure: undefined, bootStep: undefined },
    endReason: undefined,
    generation: { options: { bootTimeoutMs: 60_000 } },
  };
  const end = { code: null, signal: null };

  it("is the worker's own word, with its stack", () => {
    const failure = { code: 'APP_NOT_CALLABLE', message: 'no function', stack: 'Error: x\n at y' } as const;
    const error = deathError({ ...worker, record: { failure, bootStep: undefined } }, { ...end, code: 4 });
    expect(error).to.include({ code: 'APP_NOT_CALLABLE', message: 'no function', exitCode: 4 });
    expect((error.cause as Error).stack).to.equal('Error: x\n at y');
  });

  it('is else how it ended and its last error', () => {
    expect(deathError(worker, { ...end, code: 7 })).to.include({ code: 'WORKERS_CANNOT_BOOT' });
    expect(deathError(worker, { ...end, code: 7 }).message).to.contain('exit code 7');
    expect(deathError(worker, { ...end, signal: 'SIGSEGV' }).message).to.contain('signal SIGSEGV');
    const failure = { message: 'fork failed: EAGAIN' };
    const unborn = deathError({ ...worker, record: { failure, bootStep: undefined } }, end).message;
    expect(unborn).to.contain('could not be started').and.to.contain('EAGAIN');
    const late = deathError({ ...worker, endReason: 'boot-timeout' }, { ...end, signal: 'SIGKILL' });
    expect(late.message).to.contain('within 1m (option bootTimeout)');
    const step = deathError(
      { ...worker, endReason: 'boot-timeout', record: { failure: undefined, bootStep: 'warm-up GET /x' } },
      end,
    );
    expect(step.message).to.match(/it was at: warm-up GET \/x$/);
  });
});
