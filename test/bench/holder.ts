/** Holds connections: each asks once, and then keeps silent or sends the head of its next request byte by byte. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { answerParent } from './child.ts';

export interface HolderTask {
  port: number;
  /** local address: a pair of addresses has only so many ports */
  from: string;
  count: number;
  request: string;
}

export interface HolderProtocol {
  /** opens so many more and lets each ask once */
  open: { question: HolderTask; answer: undefined };
  /** every connection sends its next byte, in the time that this takes */
  drip: { question: undefined; answer: undefined };
  /** connections that are still there */
  alive: { question: undefined; answer: number };
}

const atOnce = 200;
/** a byte of each of 5,000 connections takes two and a half seconds: dripping, not a burst */
const dripsAtOnce = 20;
const dripEveryMs = 10;
const sockets: Socket[] = [];
let lost = 0;
let request = '';
let dripped = 0;

async function openOne({ port, from }: HolderTask): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  sockets.push(socket);
  socket.on('close', () => (lost += 1));
  await once(socket, 'connect');
  socket.write(request);
  await once(socket, 'data');
}

answerParent<HolderProtocol>({
  async open(task) {
    ({ request } = task);
    for (let opened = 0; opened < task.count; opened += atOnce) {
      await Promise.all(Array.from({ length: Math.min(atOnce, task.count - opened) }, () => openOne(task)));
    }
    return undefined;
  },
  async drip() {
    for (const [index, socket] of sockets.entries()) {
      socket.write(request[dripped]!);
      if (index % dripsAtOnce === 0) await setTimeout(dripEveryMs);
    }
    dripped += 1;
    return undefined;
  },
  alive: () => sockets.length - lost,
});
