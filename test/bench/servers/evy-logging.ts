/** One worker's loop of ours with an access log to a file, in the format of the first argument; without one when 'off'. */
import type { AddressInfo } from 'node:net';
import type * as options from '../../../src/shared/options/input.ts';
import type * as logs from '../../../src/shared/log/log.ts';
import type * as accessLogs from '../../../src/worker/access-log/access-log.ts';
import type * as interfaces from '../../../src/worker/interfaces/wsgi.ts';
import type * as listening from '../../../src/worker/accepting/make-server.ts';
import type * as services from '../../../src/worker/loop/service.ts';
import { app } from '../apps/evy.ts';
import { answerParent, type ServerProtocol } from '../child.ts';

/** As it is built: what tsx makes of the sources costs other than what is shipped. */
const built = <Module>(path: string): Promise<Module> => import(`../../../dist/${path}.js`) as Promise<Module>;
const { openAccessLog } = await built<typeof accessLogs>('worker/access-log/access-log');
const { Service } = await built<typeof services>('worker/loop/service');
const { makeServer } = await built<typeof listening>('worker/accepting/make-server');
const { wsgiHandler } = await built<typeof interfaces>('worker/interfaces/wsgi');
const { resolveServerInput } = await built<typeof options>('shared/options/input');
const { silentLogger } = await built<typeof logs>('shared/log/log');

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
