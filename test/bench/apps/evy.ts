/** The jobs as an evy application; the job is named by the environment variable, so that workers know it, too. */
import type { App } from 'evy';
import { blob, greeting, streamedPieces, type Job } from '../works.ts';

/** A hook like the one that counts bandwidth: it looks at the report of the response. */
let bytesSent = 0;
const countBytes = (env: { 'evy.response'?: { bytesSent: number } }) => {
  bytesSent += env['evy.response']?.bytesSent ?? 0;
};

function* pieces(): Generator<Uint8Array> {
  for (let piece = 0; piece < streamedPieces; piece += 1) yield blob;
}

const jobs: Readonly<Record<Job, App>> = {
  hello(env, startResponse) {
    env['evy.posthooks'].push([countBytes, [], {}]);
    startResponse('200 OK', [
      ['Content-Type', 'text/plain'],
      ['Content-Length', String(greeting.length)],
    ]);
    return [greeting];
  },
  async echo(env, startResponse) {
    const body = await env['wsgi.input'].read();
    startResponse('200 OK', [
      ['Content-Type', 'text/plain'],
      ['Content-Length', String(body.length)],
    ]);
    return [body];
  },
  blob(_env, startResponse) {
    startResponse('200 OK', [
      ['Content-Type', 'application/octet-stream'],
      ['Content-Length', String(blob.length)],
    ]);
    return [blob];
  },
  stream(_env, startResponse) {
    startResponse('200 OK', [['Content-Type', 'application/octet-stream']]);
    return pieces();
  },
};

export const app = jobs[process.env['BENCH_JOB'] as Job];
export default app;
