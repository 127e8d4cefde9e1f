/** The certificates of test/fixtures/tls (its README says how they were made). */
import { readFileSync } from 'node:fs';
import { fixture } from './files.ts';

const file = (name: string) => fixture('tls', name);

/** For localhost, 127.0.0.1 and ::1. */
export const certfile = file('cert.pem');
export const keyfile = file('key.pem');
/** Another certificate and key for the same names, to tell before from after a reload. */
export const renewedCertfile = file('renewed-cert.pem');
export const renewedKeyfile = file('renewed-key.pem');
/** Belongs to no certificate. */
export const otherKeyfile = file('other-key.pem');

/** What a client needs to trust both certificates. */
export const trusted: { ca: Buffer[]; servername: string } = {
  ca: [readFileSync(certfile), readFileSync(renewedCertfile)],
  servername: 'localhost',
};
