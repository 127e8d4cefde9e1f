import { expect } from 'chai';
import { countAnswer, noAnswers } from '../../../src/worker/loop/context.ts';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { wsgiHandler } from '../../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../../src/worker/loop/service.ts';
import { withService, type WithService } from '../helpers/with-service.ts';

const statuses = [200, 204, 302, 404, 410, 418, 503];
const expected = { answers2xx: 2, answers3xx: 1, answers4xx: 3, answers5xx: 1 };

let firstAnswers = 0;
const onFirstAnswer = (): void => {
  firstAnswers += 1;
};

async function askAll({ connect, serving }: WithService): Promise<void> {
  firstAnswers = 0;
  const client = await connect();
  for (const status of statuses) await client.request(`GET /${status} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  expect(serving.stats).to.include({ requests: statuses.length, ...expected });
  expect(firstAnswers).to.equal(1);
}

describe('answers', () => {
  it('are counted by class, and not when nothing was sent', () => {
    const counts = noAnswers();
    const isFirst = [0, ...statuses].map((status) => countAnswer(counts, status));
    expect(isFirst.indexOf(true)).to.equal(1);
    expect(isFirst.lastIndexOf(true)).to.equal(1);
    expect(counts).to.deep.equal(expected);
  });

  it(
    'of our own loop are counted',
    withService(
      (parts) =>
        new Service({
          ...parts,
          onFirstAnswer,
          handler: wsgiHandler((env, startResponse) => {
            startResponse(`${env.PATH_INFO.slice(1)} Whatever`, []);
            return [];
          }),
        }),
      {},
      askAll,
    ),
  );

  it(
    'of node:http are counted',
    withService(
      (parts) =>
        new NodeService({
          ...parts,
          onFirstAnswer,
          listener: (request, response) => response.writeHead(Number(request.url!.slice(1))).end(),
        }),
      {},
      askAll,
    ),
  );
});
