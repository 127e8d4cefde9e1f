import { expect } from 'chai';
import { bindOfHostAndPort, formatBind, parseBind } from '../../../src/master/sockets/bind-address.ts';
import type { Bind } from '../../../src/master/sockets/bind-address.ts';

const tcp = (host: string, port: number, tls = false): Bind => ({ kind: 'tcp', host, port, tls });

describe('an address', () => {
  const good: Array<[string, Bind]> = [
    ['127.0.0.1:8080', tcp('127.0.0.1', 8080)],
    ['localhost:0', tcp('localhost', 0)],
    ['my-host.example_1.org:65535', tcp('my-host.example_1.org', 65_535)],
    [':8080', tcp('0.0.0.0', 8080)],
    ['8080', tcp('127.0.0.1', 8080)],
    ['[::]:8080', tcp('::', 8080)],
    ['[::1]:80', tcp('::1', 80)],
    ['[fe80::1%eth0]:80', tcp('fe80::1%eth0', 80)],
    ['tls:[::]:8443', tcp('::', 8443, true)],
    ['tls:8443', tcp('127.0.0.1', 8443, true)],
    ['unix:/run/app.sock', { kind: 'unix', path: '/run/app.sock', tls: false }],
    ['unix:app.sock', { kind: 'unix', path: 'app.sock', tls: false }],
    ['tls:unix:a:b', { kind: 'unix', path: 'a:b', tls: true }],
    ['fd:3', { kind: 'fd', fd: 3, tls: false }],
    ['tls:fd:12', { kind: 'fd', fd: 12, tls: true }],
  ];
  for (const [text, bind] of good) {
    it(`${text} is read`, () => {
      expect(parseBind(text)).to.deep.equal(bind);
      expect(parseBind(formatBind(bind))).to.deep.equal(bind);
    });
  }

  const bad: Array<[string, string]> = [
    ['', 'the address must be'],
    ['localhost', 'the address must be'],
    ['localhost:', 'the port must be'],
    ['localhost:http', 'the port must be'],
    ['localhost:65536', 'from 0 to 65535'],
    ['99999', 'from 0 to 65535'],
    ['127.0.0.1:-1', 'the port must be'],
    ['::1', 'in brackets'],
    ['::1:8080', 'in brackets'],
    ['[::1]', 'in brackets'],
    ['[localhost]:80', 'not an IPv6 address'],
    ['[]:80', 'not an IPv6 address'],
    ['http://localhost:80', 'in brackets'],
    ['a b:80', 'the address must be'],
    ['unix:', 'must be followed by a path'],
    [`unix:/${'x'.repeat(120)}`, 'longer than'],
    ['fd:', '3 or higher'],
    ['fd:2', '3 or higher'],
    ['fd:x', '3 or higher'],
    ['tls:', 'the address must be'],
  ];
  for (const [text, why] of bad) {
    it(`${text || 'nothing'} is refused by name`, () => {
      expect(() => parseBind(text))
        .to.throw(why)
        .and.to.include({ code: 'BAD_BIND' });
      expect(() => parseBind(text)).to.throw(`--bind ${text}: `);
    });
  }

  it('that is a port alone takes the host of the option', () => {
    expect(parseBind('80', '::1')).to.deep.equal(tcp('::1', 80));
  });

  it('comes from host and port, too', () => {
    expect(bindOfHostAndPort('localhost', 80, false)).to.deep.equal(tcp('localhost', 80));
    expect(bindOfHostAndPort('[::]', 80, true)).to.deep.equal(tcp('::', 80, true));
    expect(bindOfHostAndPort('::1', 80, false)).to.deep.equal(tcp('::1', 80));
    expect(bindOfHostAndPort('', 80, false)).to.deep.equal(tcp('0.0.0.0', 80));
    expect(() => bindOfHostAndPort('a b', 80, false))
      .to.throw("--host must be a host name or an address (got 'a b')")
      .and.to.include({ code: 'BAD_BIND' });
  });
});
