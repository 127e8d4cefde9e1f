import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import type { Environ, StartResponse } from '../../../src/shared/application.ts';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { wsgiHandler } from '../../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../../src/worker/loop/service.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { get } from '../helpers/with-server.ts';
import { withService, type WithService } from '../helpers/with-service.ts';

const options = {
  logFormat: '%(request_line)s %(status_code)s %(body_length)s %(outcome)s',
  accessLogSkip: ['/health'],
};
const isSilent = (target: string | undefined) => target === '/silent';

let environment: Environ | undefined;
let finish: () => void = () => {};
const finished = new Promise<void>((resolve) => (finish = resolve));
const application = async (env: Environ, startResponse: StartResponse) => {
  environment = env;
  if (!isSilent(env.RAW_URI)) await startResponse('200 OK', [])('begun');
  await finished;
  return [];
};
const listener = ({ url }: IncomingMessage, response: ServerResponse) => {
  if (!isSilent(url)) response.writeHead(200, { 'Content-Length': 100 }).write('begun');
};

async function survey({ serving, connect, accessLines }: WithService, lengthOfBegun: number): Promise<void> {
  for (const path of ['/a?b', '/silent', '/health']) {
    const client = await connect();
    client.send(get(path));
    if (path === '/silent') await waitFor('the request', () => serving.activeRequests === 2);
    else await waitFor('a response that has begun', () => client.received.includes('begun'));
  }
  const seen = () => serving.survey(0, 100).map(({ target, line }) => [target, line]);
  await waitFor('all of them', () => seen().length === 3);
  for (let times = 0; times < 2; times += 1)
    expect(seen()).to.deep.equal([
      ['/a?b', `GET /a?b HTTP/1.1 200 ${lengthOfBegun} cut\n`],
      ['/silent', 'GET /silent HTTP/1.1 0 0 cut\n'],
      ['/health', undefined],
    ]);
  expect(serving.survey(0, 1)).to.have.length(1);
  expect(serving.survey(60_000, 100)).to.deep.equal([]);
  // Nothing has happened.
  expect(accessLines).to.deep.equal([]);
  expect(serving.stats).to.include({ activeRequests: 3, answers2xx: 0, answers5xx: 0 });
}

describe('a survey of the requests under way', () => {
  it(
    'has their access lines as these would be now, and changes nothing',
    withService(
      (parts) => new Service({ ...parts, handler: wsgiHandler(application) }),
      options,
      async (served) => {
        await survey(served, 10); // with its chunk's framing
        expect(environment).to.not.have.property('evy.response');
        // What the application has put there is its own.
        const own = {} as NonNullable<Environ['evy.response']>;
        environment!['evy.response'] = own;
        expect(served.serving.survey(0, 100)).to.have.length(3);
        expect(environment!['evy.response']).to.equal(own);
        finish();
      },
    ),
  );

  it(
    'is the same of node:http',
    withService(
      (parts) => new NodeService({ ...parts, listener }),
      options,
      (served) => survey(served, 5),
    ),
  );
});
