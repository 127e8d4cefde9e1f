import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { certfile, keyfile, otherKeyfile, renewedCertfile, renewedKeyfile } from './certificates.ts';

const certificate = (path: string) => new X509Certificate(readFileSync(path));
const key = (path: string) => createPrivateKey(readFileSync(path));

describe('the test certificates', () => {
  for (const path of [certfile, renewedCertfile]) {
    it(`are valid for this machine and this century: ${path.split('/').at(-1)}`, () => {
      expect(certificate(path).checkHost('localhost')).to.equal('localhost');
      expect(certificate(path).checkIP('127.0.0.1')).to.equal('127.0.0.1');
      expect(certificate(path).checkIP('::1')).to.equal('::1');
      expect(Date.parse(certificate(path).validTo)).to.be.greaterThan(Date.parse('2100-01-01'));
    });
  }
  it('belong to their keys and to no other', () => {
    expect(certificate(certfile).checkPrivateKey(key(keyfile))).to.equal(true);
    expect(certificate(renewedCertfile).checkPrivateKey(key(renewedKeyfile))).to.equal(true);
    expect(certificate(certfile).checkPrivateKey(key(otherKeyfile))).to.equal(false);
    expect(certificate(certfile).checkPrivateKey(key(renewedKeyfile))).to.equal(false);
  });
});
