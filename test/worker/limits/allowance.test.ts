import { expect } from 'chai';
import type { Guarding, GuardingToMaster } from '../../../src/shared/protocol/guarding.ts';
import { Allowance } from '../../../src/worker/limits/allowance.ts';
import { RequestGuard } from '../../../src/worker/limits/request-guard.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';

function allowanceOf(change: Partial<Guarding>) {
  const guarding = {
    quarantines: false,
    healthPaths: [],
    countsHealth: false,
    limitsConnections: true,
    limitsRequests: true,
    ...change,
  };
  const guard = RequestGuard.of(guarding);
  const allowed: number[] = [];
  const sent: GuardingToMaster[] = [];
  const counts = { connections: 0, activeRequests: 0 };
  const allowance = Allowance.of({
    guarding,
    serving: {
      get stats() {
        return { ...counts, requests: 0, pendingHooks: 0, answers2xx: 0, answers3xx: 0, answers4xx: 0, answers5xx: 0 };
      },
      get activeRequests() {
        return counts.activeRequests;
      },
    },
    gate: { allow: (share) => void allowed.push(share), usage: (now) => ({ now, wanted: now, isShort: false }) },
    guard,
    send: (message) => void sent.push(message),
  });
  onEnd(() => allowance?.stop());
  return { allowance, guard, allowed, sent, counts };
}

describe('an allowance', () => {
  it('is not there without a limit', () => {
    expect(allowanceOf({ limitsConnections: false, limitsRequests: false }).allowance).to.equal(undefined);
  });

  it('is nothing at first, is asked for, and confirmed when it comes', async () => {
    const { allowance, guard, allowed, sent } = allowanceOf({});
    expect(allowed).to.deep.equal([0]);
    const begun = allowance!.begin();
    expect(sent).to.deep.equal([
      {
        type: 'usage',
        serial: 0,
        connections: { now: 0, wanted: 0, isShort: false },
        requests: { now: 0, wanted: 0, isShort: false },
      },
    ]);
    allowance!.receive({ serial: 3, connections: 5, requests: 1 });
    await begun;
    expect(allowed).to.deep.equal([0, 5]);
    expect(sent[1]).to.include({ serial: 3 });
    expect(guard!.refusalOf('GET', '/', 1)).to.equal(undefined);
    expect(guard!.refusalOf('GET', '/', 2)).to.not.equal(undefined);
  });

  it('does not keep a worker from being ready for long', async () => {
    await allowanceOf({}).allowance!.begin();
  });

  it('of no request is one of no connection', () => {
    const { allowance, allowed } = allowanceOf({});
    allowance!.receive({ serial: 1, connections: 5, requests: 0 });
    expect(allowed).to.deep.equal([0, 0]);
  });

  it('is reported on when what is used has changed, and not otherwise', async () => {
    const { allowance, sent, counts } = allowanceOf({ limitsRequests: false });
    allowance!.receive({ serial: 1, connections: 5 });
    void allowance!.begin();
    expect(sent).to.deep.equal([{ type: 'usage', serial: 1, connections: { now: 0, wanted: 0, isShort: false } }]);
    counts.connections = 2;
    await waitFor('a report', () => sent.length > 1);
    expect(sent.slice(1)).to.deep.equal([
      { type: 'usage', serial: 1, connections: { now: 2, wanted: 2, isShort: false } },
    ]);
  });
});
