/** One worker's loop of ours with an access log to a file, in the format of the first argument; without one when 'off'. */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as options from '../../../src/shared/options/input.ts';
import type * as logs from '../../../src/shared/log/log.ts';
import type * as accessLogs from '../../../src/worker/access-log/access-log.ts';
import type * as interfaces from '../../../src/worker/interfaces/wsgi.ts';
import type * as listening from '../../../src/worker/accepting/make-server.ts';
import type * as services from '../../../src/worker/loop/service.ts';
import { projectRoot } from '../../helpers/files.ts';
import { app } from '../apps/evy.ts';
import { answerParent, type ServerProtocol } from '../child.ts';

/** Bundled as it is shipped: what tsx makes of the sources costs other than that. */
async function built(): Promise<Parts> {
  const { buildSync } = await import('esbuild');
  const outfile = join(projectRoot, '.cache', 'bench', `evy-logging-${process.pid}.mjs`);
  const contents = parts.map((path) => `export * from './src/${path}.ts';`).join('\n');
  buildSync({
    stdin: { contents, resolveDir: projectRoot, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['pino'],
  });
  return import(pathToFileURL(outfile).href) as Promise<Parts>;
}

type Parts = typeof accessLogs & typeof services & typeof listening & typeof interfaces & typeof options & typeof logs;
const parts = [
  'worker/access-log/access-log',
  'worker/loop/service',
  'worker/accepting/make-server',
  'worker/interfaces/wsgi',
  'shared/options/input',
  'shared/log/log',
];
const { openAccessLog, Service, makeServer, wsgiHandler, resolveServerInput, silentLogger } = await built();

const [, , format = 'off', file = 'off'] = process.argv;
const settings = resolveServerInput(format === 'off' ? {} : { accessLog: file, logFormat: format });
const service = new Service({
  settings,
  handler: wsgiHandler(app),
  log: silentLogger,
  accessLog: await openAccessLog(settings, silentLogger, 1),
  multiprocess: true,
});
const server = makeServer(undefined, service);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

answerParent<ServerProtocol>({ port: () => (server.address() as AddressInfo).port });
