import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { expect } from 'chai';
import { ALREADY_HANDLED } from '../../../src/shared/application.ts';
import type { Environ, StartResponse } from '../../../src/shared/application.ts';
import { wsgiHandler } from '../../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../../src/worker/loop/service.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { get } from '../helpers/with-server.ts';
import { withService } from '../helpers/with-service.ts';

const application = (env: Environ, startResponse: StartResponse) => {
  if (env.RAW_URI === '/none') {
    startResponse('204 No Content', []);
    return [];
  }
  if (env.RAW_URI === '/slow') return new Promise<never>(() => {});
  const socket = env['wsgi.input'].takeSocket();
  socket.on('end', () => socket.end());
  socket.resume().write('taken');
  return ALREADY_HANDLED;
};

describe('a socket that was taken over', () => {
  it(
    'is no request under way, and is cut at the end as these are',
    withService(
      (parts) => new Service({ ...parts, handler: wsgiHandler(application) }),
      { logFormat: '%(request_line)s %(outcome)s' },
      async ({ serving, connect, accessLines }) => {
        const clients = [];
        for (const path of ['/taken?1', '/taken?2', '/slow']) {
          const client = await connect();
          client.send(get(path));
          if (path === '/slow') await waitFor('the request', () => serving.activeRequests === 1);
          else await waitFor('the socket', () => client.received === 'taken');
          clients.push(client);
        }
        const targets = (requests: ReadonlyArray<{ target: string }>) => requests.map(({ target }) => target);
        // As long as it takes to be older than 0 ms: they have no place among the oldest.
        await waitFor('the survey', () => serving.survey(0, 1).length === 1);
        expect(targets(serving.survey(0, 1))).to.deep.equal(['/slow']);
        expect(targets(serving.requestsUnderWay())).to.deep.equal(['/slow']);
        expect(serving.stats).to.include({ connections: 3, activeRequests: 1 });
        expect(targets(serving.destroyBusy())).to.deep.equal(['/taken?1', '/taken?2', '/slow']);
        for (const client of clients) await client.closed();
        await waitFor('their access lines', () => accessLines.length === 3);
      },
    ),
  );

  it(
    'whose client has reset it already costs nobody else anything',
    withService(
      (parts) => new Service({ ...parts, handler: wsgiHandler(application) }),
      { logFormat: '%(request_line)s %(outcome)s' },
      async ({ port, serving, connect, accessLines, errors }) => {
        const socket = connectSocket(port, '127.0.0.1').on('error', () => {});
        await once(socket, 'connect');
        const busy = await connect();
        busy.send(get('/slow'));
        // Both in one packet, and gone before the loop reads.
        socket.write(`${get('/none')}${get('/taken')}`, () => socket.resetAndDestroy());
        await waitFor('its access lines', () => accessLines.length === 2);
        expect(errors).to.deep.equal([]);
        expect(serving.stats).to.include({ connections: 1, activeRequests: 1 });
        serving.destroyBusy();
      },
    ),
  );

  it(
    'has its access line when the process is about to be killed',
    withService(
      (parts) => new Service({ ...parts, handler: wsgiHandler(application) }),
      { logFormat: '%(request_line)s %(outcome)s' },
      async ({ serving, connect, accessLines }) => {
        const client = await connect();
        client.send(get('/taken'));
        await waitFor('the socket', () => client.received === 'taken');
        serving.lastWords();
        expect(accessLines).to.deep.equal(['GET /taken HTTP/1.1 cut']);
      },
    ),
  );
});
