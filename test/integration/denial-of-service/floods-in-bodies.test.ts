import { expect } from 'chai';
import { text } from '../../helpers/response-reader.ts';
import { chunked, victim } from './victim.ts';

describe('denial of service by bodies', () => {
  it('a chunk extension without end is refused with 400', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    for (const client of await attackers(50)) {
      client.send(`${chunked('/read')}1;${'e'.repeat(50_000)}`, 'POST');
      expect((await client.response()).status).to.equal(400);
      expect(await client.closed()).to.equal('fin');
    }
    await servesOthers();
    await holdsAtMost(4);
  });

  it('chunks that are mostly extensions are refused with 400', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    for (const client of await attackers(20)) {
      client.send(chunked('/read') + `1;${'e'.repeat(500)}\r\nx\r\n`.repeat(1000), 'POST');
      expect((await client.response()).status).to.equal(400);
    }
    await servesOthers();
    await holdsAtMost(4);
  });

  it('a flood of trailers is refused with 431', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    for (const client of await attackers(20)) {
      client.send(`${chunked('/read')}0\r\n${'a: b\r\n'.repeat(100_000)}`, 'POST');
      expect((await client.response()).status).to.equal(431);
    }
    await servesOthers();
    await holdsAtMost(4);
  });

  it('chunks of one byte are read as any others', async () => {
    const { attacker, servesOthers, holdsAtMost } = await victim();
    const client = await attacker();
    client.send(chunked('/read'), 'POST');
    for (let times = 0; times < 20; times += 1) client.socket.write('1\r\nx\r\n'.repeat(10_000));
    client.socket.write('0\r\n\r\n');
    await servesOthers();
    expect(text(await client.response())).to.equal('200000');
    await holdsAtMost(4);
  });

  it('chunks of one byte that nobody reads wait in the kernel', async () => {
    const { attackers, servesOthers, holdsAtMost } = await victim();
    for (const client of await attackers(50)) client.send(chunked('/never') + '1\r\nx\r\n'.repeat(50_000), 'POST');
    await servesOthers();
    // Each holds at most 1024 pieces and 64 KiB that are not parsed yet.
    await holdsAtMost(24);
  });

  it('a flood of requests that expect 100 Continue is answered in order, and costs no more than others', async () => {
    const { attacker, attackers, servesOthers, holdsAtMost } = await victim();
    const one = 'POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
    const client = await attacker();
    const count = 5000;
    client.send(`${one}ab`.repeat(count), ...Array<string>(count).fill('POST'));
    const waiting = await attackers(100);
    for (const each of waiting) each.send(one.repeat(3), 'POST');
    await servesOthers();
    expect((await client.responses(count)).map(text)).to.deep.equal(Array<string>(count).fill('2'));
    await holdsAtMost(8);
    // The next request is their body now, as they did not wait.
    for (const each of waiting) expect(text(await each.response())).to.equal('2');
  });
});
