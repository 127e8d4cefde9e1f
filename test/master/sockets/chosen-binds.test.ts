import { expect } from 'chai';
import { chooseBinds } from '../../../src/master/sockets/chosen-binds.ts';
import { systemdBinds } from '../../../src/master/sockets/systemd-sockets.ts';

const options = { bind: [], host: '127.0.0.1', port: 8080, certfile: '' };
const activation = { LISTEN_FDS: '2', LISTEN_PID: '42' };

describe('the addresses to listen on', () => {
  it('are those given by bind', () => {
    const { binds } = chooseBinds({ ...options, bind: [':80', 'unix:/s'] }, activation, 42);
    expect(binds.map(({ given }) => given)).to.deep.equal(['--bind :80', '--bind unix:/s']);
    expect(binds.map(({ bind }) => bind.kind)).to.deep.equal(['tcp', 'unix']);
  });

  it('are else those of the service manager', () => {
    const { binds } = chooseBinds(options, activation, 42);
    expect(binds.map(({ bind }) => bind)).to.deep.equal([
      { kind: 'fd', fd: 3, tls: false },
      { kind: 'fd', fd: 4, tls: false },
    ]);
    expect(binds[0]!.given).to.equal('LISTEN_FDS (fd:3)');
  });

  it('are else host and port', () => {
    const { binds, ignored } = chooseBinds(options, {}, 42);
    expect(binds).to.deep.equal([
      { bind: { kind: 'tcp', host: '127.0.0.1', port: 8080, tls: false }, given: '--host 127.0.0.1 --port 8080' },
    ]);
    expect(ignored).to.equal(undefined);
  });

  it('are not those meant for another process, which is told', () => {
    const { binds, ignored } = chooseBinds(options, activation, 43);
    expect(binds[0]!.bind.kind).to.equal('tcp');
    expect(ignored).to.contain('LISTEN_PID names process 42');
  });

  it('talk TLS when a certificate is given and no bind says otherwise', () => {
    expect(chooseBinds({ ...options, certfile: 'c.pem' }, {}, 42).binds[0]!.bind.tls).to.equal(true);
    expect(chooseBinds({ ...options, certfile: 'c.pem' }, activation, 42).binds[1]!.bind.tls).to.equal(true);
    expect(chooseBinds({ ...options, certfile: 'c.pem', bind: [':80'] }, {}, 42).binds[0]!.bind.tls).to.equal(false);
  });

  it('of a service manager need a count that is one', () => {
    expect(systemdBinds({ LISTEN_FDS: '0', LISTEN_PID: '42' }, 42, false)).to.deep.equal({ binds: [] });
    expect(systemdBinds({ LISTEN_FDS: '2' }, 42, false)).to.deep.equal({ binds: [] });
    expect(() => systemdBinds({ LISTEN_FDS: 'x', LISTEN_PID: '42' }, 42, false))
      .to.throw("LISTEN_FDS must be a number of sockets (got 'x')")
      .and.to.include({ code: 'BAD_BIND' });
  });
});
