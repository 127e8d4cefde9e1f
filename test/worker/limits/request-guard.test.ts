import { expect } from 'chai';
import type { Guarding } from '../../../src/shared/protocol/guarding.ts';
import { RequestGuard } from '../../../src/worker/limits/request-guard.ts';
import { fakeTime } from '../helpers/fake-time.ts';

const none: Guarding = {
  healthPaths: [],
  countsHealth: false,
  limitsConnections: false,
  limitsRequests: false,
  quarantines: false,
};
const guardOf = (change: Partial<Guarding>) => RequestGuard.of({ ...none, ...change });

describe('a guard of requests', () => {
  it('is not there when nothing asks for it', () => {
    expect(guardOf({})).to.equal(undefined);
    expect(guardOf({ healthPaths: ['/health'] })).to.equal(undefined);
  });

  it('counts health checks, by their path alone', () => {
    const guard = guardOf({ countsHealth: true, healthPaths: ['/health', '/probes/*'] })!;
    for (const target of [
      '/health',
      '/health?a',
      'http://a/health',
      '/probes/',
      '/probes/a',
      '/',
      '/healthy',
      '/a?/health',
    ])
      expect(guard.refusalOf('GET', target, 1e6)).to.equal(undefined);
    expect(guard.healthChecks).to.equal(5);
  });

  it('turns away what is beyond its share, but no health checks', () => {
    const guard = guardOf({ limitsRequests: true, healthPaths: ['/health'] })!;
    expect(guard.refusalOf('GET', '/', 1)).to.deep.equal({ code: 'OVERLOADED', retryAfterSeconds: 1 });
    guard.allow(2);
    expect(guard.refusalOf('GET', '/', 2)).to.equal(undefined);
    expect(guard.refusalOf('GET', '/', 3)).to.include({ code: 'OVERLOADED' });
    expect(guard.refusalOf('GET', '/health?x', 3)).to.equal(undefined);
    expect(guard.turnedAway).to.equal(2);
  });

  it('keeps routes away for their time, but no health checks, and no others', () => {
    const time = fakeTime();
    const guard = guardOf({ quarantines: true, healthPaths: ['/health/1'] })!;
    expect(guard.refusalOf('GET', '/users/1', 1e6)).to.equal(undefined);
    guard.quarantine([
      { route: 'GET /users/:id', forMs: 2500 },
      { route: 'GET /health/:id', forMs: 2500 },
    ]);
    expect(guard.refusalOf('GET', '/users/2?a', 1)).to.deep.equal({ code: 'QUARANTINED', retryAfterSeconds: 3 });
    expect(guard.refusalOf('POST', '/users/2', 1)).to.equal(undefined);
    expect(guard.refusalOf('GET', '/health/1', 1)).to.equal(undefined);
    expect(guard.refusalOf('GET', '/health/2', 1)).to.include({ code: 'QUARANTINED' });
    time.pass(2500);
    expect(guard.refusalOf('GET', '/users/2', 1)).to.equal(undefined);
    guard.quarantine([{ route: 'GET /users/:id', forMs: 2500 }]);
    guard.quarantine([]);
    expect(guard.refusalOf('GET', '/users/2', 1)).to.equal(undefined);
  });

  it('tells when that was too little, and forgets slowly what it had', () => {
    const guard = guardOf({ limitsRequests: true })!;
    guard.allow(8);
    for (let underWay = 1; underWay <= 8; underWay += 1) guard.refusalOf('GET', '/', underWay);
    expect(guard.usage(3)).to.deep.equal({ now: 3, wanted: 8, isShort: false });
    guard.refusalOf('GET', '/', 9);
    expect(guard.usage(8)).to.deep.equal({ now: 8, wanted: 9, isShort: true });
    guard.forgetPeak(0);
    expect(guard.usage(0)).to.deep.equal({ now: 0, wanted: 7, isShort: false });
    for (let times = 0; times < 7; times += 1) guard.forgetPeak(0);
    expect(guard.usage(0)).to.deep.equal({ now: 0, wanted: 0, isShort: false });
  });
});
