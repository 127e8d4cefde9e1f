import { expect } from 'chai';
import { freePort } from '../../helpers/free-port.ts';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder } from '../../helpers/files.ts';
import { needProgram, startNginx } from '../../helpers/proxy-program.ts';
import { connect, type Target } from '../../helpers/raw-client.ts';
import { header, text } from '../../helpers/response-reader.ts';
import { application, serve } from './serving.ts';
import { rollingStops } from './stopping.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('behind nginx', function () {
  let nginx = '';
  before(function () {
    nginx = needProgram(this, 'nginx');
  });

  it('with the lines of docs/proxies.md, over TCP and a unix socket', async () => {
    const path = `${await tempFolder()}/s`;
    const binds = ['--bind', '127.0.0.1:0', '--bind', `unix:${path}`];
    // nginx comes from 127.0.0.2, so that its clients, at 127.0.0.1, are strangers to evy.
    const trust = ['--trusted-proxies', '127.0.0.2', '--trusted-proxies', 'unix', '--send-request-id'];
    const evy = await serve([...binds, '--workers', '2', ...trust, application('shows-its-environment')]);
    const [port, tlsPort] = [await freePort(), await freePort()];
    const headers = `
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header Forwarded "";
      proxy_set_header X-Request-Id $request_id;`;
    const http = `
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate ${certfile};
    ssl_certificate_key ${keyfile};
    ${headers}
    location / { proxy_bind 127.0.0.2; proxy_pass http://127.0.0.1:${evy.port}; }
    location /unix { proxy_pass http://unix:${path}:/unix; }
  }`;
    await startNginx({ path: nginx, port, http });

    const forged = `X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.7\r\nX-Request-Id: forged\r\n`;
    for (const [target, scheme] of [
      [{ port }, 'http'],
      [{ port: tlsPort, tls: trusted }, 'https'],
    ] as Array<[Target, string]>) {
      const client = await connect(target);
      for (const url of ['/', '/unix']) {
        const lines = `Host: app.example\r\nTraceparent: ${traceparent}\r\n${forged}`;
        const response = await client.request(`GET ${url} HTTP/1.1\r\n${lines}\r\n`);
        const seen = JSON.parse(text(response)) as Record<string, string>;
        expect(seen, `${scheme} ${url}`).to.include({
          'REMOTE_ADDR': '127.0.0.1',
          'HTTP_X_FORWARDED_FOR': '6.6.6.6, 127.0.0.1',
          'HTTP_HOST': `app.example:${target.port}`,
          'SERVER_PORT': String(target.port),
          'wsgi.url_scheme': scheme,
          'evy.traceparent': traceparent,
        });
        expect(seen['evy.request_id']).to.match(/^[0-9a-f]{32}$/);
        expect(header(response, 'x-request-id')).to.equal(seen['evy.request_id']);
      }
      client.close();
    }
    const direct = await connect({ port: evy.port });
    const response = await direct.request(`GET / HTTP/1.1\r\nHost: app.example\r\n${forged}\r\n`);
    const seen = JSON.parse(text(response)) as Record<string, string>;
    expect(seen).to.include({ 'REMOTE_ADDR': '127.0.0.1', 'wsgi.url_scheme': 'http' });
    expect(seen['evy.request_id']).to.not.equal('forged');
  });

  it('instances that are stopped and started in turn lose no request', async () => {
    await rollingStops({ proxy: 'nginx', path: nginx, instances: 2, turns: [0, 1, 0] });
  });
});
