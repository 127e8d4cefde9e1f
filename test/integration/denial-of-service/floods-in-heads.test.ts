import { expect } from 'chai';
import { text } from '../../helpers/response-reader.ts';
import { get, victim } from './victim.ts';

/** Header lines with names that nobody has sent before. */
const lines = (count: number, name: (index: number) => string, value = 'v'): string =>
  Array.from({ length: count }, (_, index) => `${name(index)}: ${value}\r\n`).join('');

describe('denial of service by heads', () => {
  it('a flood of header fields is refused with 431', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    const flood = lines(8000, () => 'a', '');
    for (const client of await attackers(50)) {
      client.send(`GET / HTTP/1.1\r\nHost: a\r\n${flood}\r\n`);
      expect((await client.response()).status).to.equal(431);
      expect(await client.closed()).to.equal('fin');
    }
    await servesOthers();
    await holdsAtMost(4);
  });

  it('a header block without end is refused with 431 at its limit', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    const clients = await attackers(20);
    for (const client of clients) client.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(60_000)}`);
    await servesOthers();
    await holdsAtMost(8);
    for (const client of clients) {
      client.send('y'.repeat(10_000));
      expect((await client.response()).status).to.equal(431);
    }
  });

  it('a flood of empty lines is refused with 400', async () => {
    const { attackers, servesOthers } = await victim();
    for (const client of await attackers(20)) {
      client.send('\r\n'.repeat(10_000));
      expect((await client.response()).status).to.equal(400);
      expect(await client.closed()).to.equal('fin');
    }
    await servesOthers();
  });

  it('ever new header names, short or huge, do not stay in memory', async () => {
    const { attacker, servesOthers, holdsAtMost } = await victim();
    const client = await attacker();
    for (let request = 0; request < 300; request += 1) {
      const names = lines(90, (index) => `x-${request}-${index}-`.padEnd(60, 'n'));
      expect(text(await client.request(get('/', names)))).to.equal('hello');
      const huge = lines(2, (index) => `y-${request}-${index}-`.padEnd(20_000, 'n'));
      expect(text(await client.request(get('/', huge)))).to.equal('hello');
    }
    await servesOthers();
    await holdsAtMost(4);
  });

  it('a header name that is remembered does not keep the head that it came in', async () => {
    const { attacker, holdsAtMost } = await victim();
    const client = await attacker();
    const padding = `padding: ${'p'.repeat(60_000)}\r\n`;
    for (let request = 0; request < 1000; request += 1) {
      expect(text(await client.request(get('/', `x-never-seen-before-${request}: v\r\n${padding}`)))).to.equal('hello');
    }
    await holdsAtMost(4);
  });

  it('header names that a hash table could take for each other are served like others', async () => {
    const { attacker, servesOthers, holdsAtMost } = await victim();
    const client = await attacker();
    // Numbers have predictable hashes in V8; the others collide in many simple hash functions.
    const numbers = (request: number) => lines(45, (index) => String((request * 45 + index) * 2048));
    const pairs = (request: number) =>
      lines(45, (index) => (request * 45 + index).toString(2).replaceAll('0', 'Aa').replaceAll('1', 'BB'));
    for (let request = 0; request < 300; request += 1) {
      expect(text(await client.request(get('/', numbers(request) + pairs(request))))).to.equal('hello');
    }
    await servesOthers();
    await holdsAtMost(4);
  });
});
