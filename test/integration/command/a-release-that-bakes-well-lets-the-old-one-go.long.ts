import { certfile, keyfile } from '../../helpers/certificates.ts';
import { bakes } from './baking.ts';

describe('a release that bakes well', () => {
  it('serves alone while the old one stands by, with TLS', () =>
    bakes(['-b', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile], ({ port }) => ({
      port,
      tls: { rejectUnauthorized: false },
    })));

  it('does so where the master accepts', () =>
    bakes(['--port', '0'], ({ port }) => ({ port }), { env: { EVY_PRIVATE_API: 'off' } }));
});
