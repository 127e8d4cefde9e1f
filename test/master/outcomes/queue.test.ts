import { expect } from 'chai';
import { CommandQueue, deferred } from '../../../src/master/outcomes/queue.ts';
import { rejection } from '../helpers/fake-crew.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the command queue', () => {
  it('takes commands one at a time, in order, never inside of push', async () => {
    const queue = new CommandQueue<number>();
    const taken: string[] = [];
    queue.open((command) => {
      taken.push(`begin ${command}`);
      if (command === 1) queue.push(3);
      taken.push(`end ${command}`);
    });
    queue.push(1);
    queue.push(2);
    expect(taken).to.deep.equal([]);
    await turn();
    expect(taken).to.deep.equal(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  it('keeps commands until it is opened', async () => {
    const queue = new CommandQueue<number>();
    const taken: number[] = [];
    queue.push(1);
    await turn();
    queue.open((command) => void taken.push(command));
    await turn();
    expect(taken).to.deep.equal([1]);
  });

  it('hands over to another handler in the middle', async () => {
    const queue = new CommandQueue<number>();
    const taken: string[] = [];
    queue.open((first) => {
      taken.push(`first ${first}`);
      queue.open((second) => void taken.push(`second ${second}`));
    });
    queue.push(1);
    queue.push(2);
    await turn();
    expect(taken).to.deep.equal(['first 1', 'second 2']);
  });

  it('gives answers from outside', async () => {
    const good = deferred<number>();
    good.resolve(1);
    expect(await good.promise).to.equal(1);
    const bad = deferred<number>();
    bad.reject(new Error('no'));
    expect(await rejection(bad.promise)).to.include({ message: 'no' });
  });
});
