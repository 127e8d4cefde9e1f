/** Fastify, as its guide shows it. */
import { Readable } from 'node:stream';
import fastify from 'fastify';
import { answerParent, type ServerProtocol } from '../child.ts';
import { blob, greeting, streamedPieces } from '../works.ts';

const server = fastify();
server.addContentTypeParser('text/plain', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
server.get('/hello', (_request, reply) => reply.type('text/plain').send(greeting));
server.post('/echo', (request, reply) => reply.type('text/plain').send(request.body));
server.get('/blob', (_request, reply) => reply.type('application/octet-stream').send(blob));
server.get('/stream', (_request, reply) =>
  reply.type('application/octet-stream').send(Readable.from(Array.from({ length: streamedPieces }, () => blob))),
);
const address = await server.listen({ port: 0, host: '127.0.0.1' });

answerParent<ServerProtocol>({ port: () => Number(new URL(address).port) });
