import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { freePort } from '../../helpers/free-port.ts';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { needProgram, startProxy } from '../../helpers/proxy-program.ts';
import { connect, type Target } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { application, echo, expectNoLoss, light, moreAnswers, reload, serve, underLoad } from './serving.ts';
import { rollingStops } from './stopping.ts';

const app = application('shows-its-environment');
const certificate = `${readFileSync(certfile, 'utf8')}${readFileSync(keyfile, 'utf8')}`;
type Shown = Record<string, string | undefined>;

/** The address that HAProxy connects from, so that its clients, at 127.0.0.1, are strangers to evy. */
const proxyAddress = '127.0.0.2';

/** What the application sees of a request, and the port that it was sent from. */
async function ask(target: Target, headers = ''): Promise<{ seen: Shown; port: string }> {
  const client = await connect(target);
  const port = String(client.socket.localPort);
  const response = await client.request(`GET / HTTP/1.1\r\nHost: app.example\r\n${headers}\r\n`);
  expect(response.status, text(response)).to.equal(200);
  // The connection is kept, and is the same client's.
  const again = await client.request(`GET / HTTP/1.1\r\nHost: app.example\r\n${headers}\r\n`);
  const seen = JSON.parse(text(response)) as Shown;
  expect((JSON.parse(text(again)) as Shown).REMOTE_PORT).to.equal(seen.REMOTE_PORT);
  client.close();
  return { seen, port };
}

interface Front {
  /** parameters of the line `bind` */
  bind?: string;
  mode?: 'tcp' | 'http';
  lines?: string[];
  to: Target;
  /** parameters of the line `server` */
  server?: string;
}

describe('behind HAProxy', function () {
  let haproxy = '';
  before(function () {
    haproxy = needProgram(this, 'haproxy');
  });

  /** Starts HAProxy with a frontend for each; resolves with their ports. */
  async function front(fronts: readonly Front[]): Promise<number[]> {
    const ports: number[] = [];
    const sections: string[] = [];
    for (const { bind = '', mode = 'tcp', lines = [], to, server = '' } of fronts) {
      const port = await freePort();
      ports.push(port);
      const name = `f${port}`;
      sections.push(`listen ${name}\n  mode ${mode}\n  bind 127.0.0.1:${port} ${bind}`);
      sections.push(...lines.map((line) => `  ${line}`));
      sections.push(`  server evy 127.0.0.1:${to.port} source ${proxyAddress} ${server}`);
    }
    const times = 'timeout connect 5s\n  timeout client 10s\n  timeout server 10s';
    const config = `global\n  maxconn 100\ndefaults\n  ${times}\n${sections.join('\n')}\n`;
    await startProxy({
      path: haproxy,
      args: (folder) => ['-db', '-f', `${folder}/haproxy.cfg`],
      files: { 'haproxy.cfg': config, 'cert.pem': certificate },
      port: ports[0]!,
    });
    return ports;
  }

  async function serveBehind(
    options: readonly string[],
    { program = app, env = {} }: { program?: string; env?: Record<string, string> } = {},
  ): Promise<{ evy: EvyProcess; plain: Target; tls: Target }> {
    const binds = ['--bind', '127.0.0.1:0', '--bind', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile];
    const evy = await serve([...binds, '--workers', '2', ...options, program], { env });
    const [plain, tls] = evy.addresses;
    return { evy, plain: { port: plain!.port! }, tls: { port: tls!.port!, tls: trusted } };
  }

  for (const [how, server] of [
    ['version 1', 'send-proxy'],
    ['version 2', 'send-proxy-v2'],
    [
      'version 2 with checksum, unique id and more',
      'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn',
    ],
  ] as const) {
    it(`its PROXY header tells the client, in clear and in front of TLS: ${how}`, async () => {
      const { evy, plain, tls } = await serveBehind(['--proxy-protocol', proxyAddress]);
      const lines = ['unique-id-format %{+X}o%ci:%cp_%fi:%fp_%Ts_%rt'];
      const [inClear, throughTls] = await front([
        { to: plain, server, lines },
        { to: tls, server, lines },
      ]);
      for (const [target, scheme] of [
        [{ port: inClear! }, 'http'],
        [{ port: throughTls!, tls: trusted }, 'https'],
      ] as const) {
        const { seen, port } = await ask(target);
        expect(seen).to.include({
          'REMOTE_ADDR': '127.0.0.1',
          'REMOTE_PORT': port,
          'SERVER_NAME': '127.0.0.1',
          'SERVER_PORT': String(target.port),
          'wsgi.url_scheme': scheme,
        });
      }
      expect(evy.seen('connection.refused')).to.deep.equal([]);
    });
  }

  it('its PROXY header tells that the client was on TLS, where HAProxy ends it', async () => {
    const { plain } = await serveBehind(['--proxy-protocol', proxyAddress]);
    const bind = 'ssl crt cert.pem';
    const ports = await front([
      { bind, to: plain, server: 'send-proxy-v2-ssl' },
      { bind, to: plain, server: 'send-proxy-v2-ssl-cn' },
      { bind, to: plain, server: 'send-proxy-v2-ssl', mode: 'http', lines: ['http-send-name-header X-Server'] },
    ]);
    for (const port of ports) {
      const { seen, port: clientPort } = await ask({ port, tls: trusted });
      expect(seen).to.include({ 'REMOTE_PORT': clientPort, 'wsgi.url_scheme': 'https', 'HTTPS': 'on' });
    }
  });

  it('a client cannot send a PROXY header of its own, not through HAProxy and not past it', async () => {
    const { plain } = await serveBehind(['--proxy-protocol', proxyAddress]);
    const [port] = await front([{ to: plain, server: 'send-proxy-v2' }]);
    const forged = 'PROXY TCP4 6.6.6.6 6.6.6.7 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const target of [{ port: port! }, plain]) {
      expect((await (await connect(target)).request(forged)).status).to.equal(400);
    }
    const { seen } = await ask(plain);
    expect(seen.REMOTE_ADDR).to.equal('127.0.0.1');
  });

  it('health checks are no bad headers', async () => {
    const { evy, plain } = await serveBehind(['--proxy-protocol', proxyAddress, '--log-level', 'debug']);
    const checks = 'check inter 20ms send-proxy-v2';
    const [port] = await front([
      { to: plain, server: `${checks} check-send-proxy` },
      { to: plain, server: checks },
      {
        to: plain,
        server: `check inter 20ms send-proxy check-send-proxy`,
        lines: ['option httpchk GET /health'],
        mode: 'http',
      },
    ]);
    for (let times = 0; times < 5; times += 1) await ask({ port: port! });
    expect(evy.seen('connection.refused')).to.deep.equal([]);
    expect(evy.seen('request.refused')).to.deep.equal([]);
  });

  it('X-Forwarded-For of option forwardfor tells the client, who cannot forge it', async () => {
    const { plain, tls } = await serveBehind(['--trusted-proxies', proxyAddress]);
    const lines = [
      'option forwardfor',
      'http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]',
      'http-request set-header X-Forwarded-Host %[req.hdr(host)]',
      'http-request del-header Forwarded',
    ];
    const [clear, ended, again] = await front([
      { mode: 'http', lines, to: plain },
      { mode: 'http', lines, to: plain, bind: 'ssl crt cert.pem' },
      { mode: 'http', lines, to: tls, bind: 'ssl crt cert.pem', server: 'ssl verify none' },
    ]);
    const forged =
      'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: ftp\r\nX-Forwarded-Host: evil.example\r\nForwarded: for=6.6.6.6\r\n';
    const client = { REMOTE_ADDR: '127.0.0.1', HTTP_HOST: 'app.example', SERVER_NAME: 'app.example' };
    const { seen } = await ask({ port: clear! }, forged);
    expect(seen).to.include({ ...client, 'wsgi.url_scheme': 'http', 'SERVER_PORT': '80' });
    expect(seen).to.include({ HTTP_X_FORWARDED_FOR: '6.6.6.6, 127.0.0.1' });
    for (const port of [ended!, again!]) {
      const { seen: onTls } = await ask({ port, tls: trusted }, forged);
      expect(onTls).to.include({ ...client, 'wsgi.url_scheme': 'https', 'HTTPS': 'on', 'SERVER_PORT': '443' });
    }
    // Past the proxy nothing of it is believed.
    const direct = await ask(plain, forged);
    expect(direct.seen).to.include({
      'REMOTE_ADDR': '127.0.0.1',
      'wsgi.url_scheme': 'http',
      'SERVER_PORT': String(plain.port),
    });
  });

  it('reloads lose no request of connections that begin with a PROXY header, nor of those on TLS', async function () {
    const { evy, plain, tls } = await serveBehind(['--proxy-protocol', proxyAddress], { program: echo });
    const [inClear, throughTls] = await front([
      { to: plain, server: 'send-proxy-v2' },
      { to: tls, server: 'send-proxy-v2 ssl verify none' },
    ]);
    const loads = [
      await underLoad(evy, { ...light, port: inClear! }),
      await underLoad(evy, { ...light, port: throughTls! }),
    ];
    for (let times = 0; times < 2; times += 1) {
      await reload(evy);
      for (const load of loads) await moreAnswers(load);
    }
    for (const load of loads) expectNoLoss(await load.stop());
  });

  it('instances that are stopped and started in turn lose no request', async () => {
    await rollingStops({ proxy: 'haproxy', path: haproxy, instances: 2, turns: [0, 1, 0] });
  });

  it('where workers cannot accept themselves, the header is read all the same', async () => {
    const { plain, tls } = await serveBehind(['--proxy-protocol', proxyAddress], { env: { EVY_PRIVATE_API: 'off' } });
    const [inClear, throughTls] = await front([
      { to: plain, server: 'send-proxy' },
      { to: tls, server: 'send-proxy-v2' },
    ]);
    for (const target of [{ port: inClear! }, { port: throughTls!, tls: trusted }]) {
      const { seen, port } = await ask(target);
      expect(seen).to.include({ REMOTE_ADDR: '127.0.0.1', REMOTE_PORT: port, SERVER_PORT: String(target.port) });
    }
  });
});
