import { expect } from 'chai';
import { Quotas } from '../../../src/master/load/quotas.ts';
import type { WorkerState } from '../../../src/master/workers/worker-states.ts';
import type { MasterToWorker } from '../../../src/shared/protocol/messages.ts';
import { waitFor } from '../../helpers/wait-for.ts';

class FakeWorker {
  readonly id: number;
  state: WorkerState = 'ready';
  readonly told: string[] = [];
  serial = 0;

  constructor(id: number) {
    this.id = id;
  }
  send(message: MasterToWorker): void {
    if (message.type !== 'shares') throw new Error(message.type);
    this.serial = message.serial;
    this.told.push(`${message.connections}/${message.requests}`);
  }
}

function quotasOf(limits: { maxConnections: number; maxConcurrentRequests: number }) {
  const quotas = new Quotas(() => limits);
  const report = (worker: FakeWorker, connections: number, requests: number) =>
    quotas.noteUsage(worker, {
      type: 'usage',
      serial: worker.serial,
      connections: { now: connections, wanted: connections, isShort: false },
      requests: { now: requests, wanted: requests, isShort: false },
    });
  const told = (worker: FakeWorker, shares: string) =>
    waitFor(`${shares} for worker ${worker.id}`, () => worker.told.at(-1) === shares);
  return { quotas, report, told };
}

describe('quotas', () => {
  it('give the first worker all, and the second its part once the first has confirmed', async () => {
    const { report, told } = quotasOf({ maxConnections: 10, maxConcurrentRequests: 4 });
    const [one, two] = [new FakeWorker(1), new FakeWorker(2)];
    report(one, 0, 0);
    await told(one, '10/4');
    report(two, 0, 0);
    await told(one, '5/2');
    expect(two.told).to.deep.equal([]);
    report(one, 0, 0);
    await told(two, '5/2');
  });

  it('of one that drains: its connections go as they end, its requests when it has gone', async () => {
    const { quotas, report, told } = quotasOf({ maxConnections: 10, maxConcurrentRequests: 4 });
    const [one, two] = [new FakeWorker(1), new FakeWorker(2)];
    report(one, 0, 0);
    report(two, 0, 0);
    await told(two, '5/2');
    one.state = 'draining';
    report(one, 3, 1);
    await told(one, '0/2');
    report(one, 3, 1);
    await told(two, '7/2');
    quotas.gone(one);
    await told(two, '10/4');
  });

  it('that are gone from the configuration stay with those who have them', async () => {
    const limits = { maxConnections: 10, maxConcurrentRequests: 4 };
    const { report, told } = quotasOf(limits);
    const one = new FakeWorker(1);
    report(one, 0, 0);
    await told(one, '10/4');
    limits.maxConnections = 0;
    limits.maxConcurrentRequests = 9;
    report(one, 1, 1);
    await told(one, '10/9');
  });
});
