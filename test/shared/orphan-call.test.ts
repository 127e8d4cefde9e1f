import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { dismissOrphans, wantedAddress } from '../../src/master/sockets/orphans.ts';
import { formatWanted, isInTheWay, makeOrphanFolder, parseWanted } from '../../src/shared/orphan-call.ts';
import { beFound } from '../../src/worker/process/orphanhood.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { tempFolder } from '../helpers/files.ts';

describe('a call to orphans', () => {
  it('comes back as it was, and is nothing when it is none', () => {
    for (const wanted of [{ host: '::1', port: 80 }, { path: '/run/app.sock' }])
      expect(parseWanted(formatWanted(wanted).trim())).to.deep.equal(wanted);
    for (const line of ['', '{', 'null', '{}', '{"wanted":{"port":80}}', '{"wanted":{"path":1}}'])
      expect(parseWanted(line)).to.equal(undefined);
  });

  it('is about a port of one host or of all, or about a path', () => {
    const wanted = { host: '127.0.0.1', port: 80 };
    expect(isInTheWay('127.0.0.1:80', wanted)).to.equal(true);
    expect(isInTheWay('0.0.0.0:80', wanted)).to.equal(true);
    expect(isInTheWay('[::1]:80', { host: '::1', port: 80 })).to.equal(true);
    expect(isInTheWay('[::1]:80', { host: '0.0.0.0', port: 80 })).to.equal(true);
    expect(isInTheWay('[::1]:80', { host: 'localhost', port: 80 })).to.equal(true);
    expect(isInTheWay('127.0.0.2:80', wanted)).to.equal(false);
    expect(isInTheWay('127.0.0.1:8080', wanted)).to.equal(false);
    expect(isInTheWay('unix:/a:80', wanted)).to.equal(false);
    expect(isInTheWay('unix:/a', { path: '/a' })).to.equal(true);
    expect(isInTheWay('unix:/a', { path: '/b' })).to.equal(false);
    expect(wantedAddress({ kind: 'fd', fd: 3, tls: false })).to.equal(undefined);
    expect(wantedAddress({ kind: 'unix', path: '/a', tls: false })).to.deep.equal({ path: '/a' });
  });

  it('is answered by those who leave and those who stay', async () => {
    const folder = join(await tempFolder(), 'orphans');
    let calls = 0;
    expect(await dismissOrphans({ host: '127.0.0.1', port: 80 }, folder)).to.equal(0);
    const orphanhood = await beFound(['127.0.0.1:80'], () => (calls += 1), folder);
    onEnd(() => orphanhood.end());
    expect(await dismissOrphans({ host: '127.0.0.1', port: 81 }, folder)).to.equal(0);
    expect(calls).to.equal(0);
    expect(await dismissOrphans({ host: '127.0.0.1', port: 80 }, folder)).to.equal(1);
    expect(calls).to.equal(1);
    orphanhood.end();
    expect(await dismissOrphans({ host: '127.0.0.1', port: 80 }, folder)).to.equal(0);
  });

  it('is not made where others could answer', async () => {
    const folder = join(await tempFolder(), 'orphans');
    makeOrphanFolder(folder);
    chmodSync(folder, 0o777);
    expect(() => makeOrphanFolder(folder)).to.throw('can be entered by others');
    expect(await dismissOrphans({ host: '127.0.0.1', port: 80 }, folder)).to.equal(0);
  });
});
