import { expect } from 'chai';
import * as fc from 'fast-check';
import { fieldNames, jsonFields, jsonKey } from '../../../src/shared/options/access-fields.ts';
import { compileFormat } from '../../../src/worker/access-log/compile-format.ts';
import { eventletTime } from '../../../src/worker/access-log/times.ts';
import { recordOf } from './helpers.ts';

const facts = { forwardedFor: false, generation: 3 };
const lineOf = (format: string, ...record: Parameters<typeof recordOf>) =>
  compileFormat(format, facts)(recordOf(...record));
const browser = {
  'REMOTE_PORT': '5555',
  'RAW_PATH_INFO': '/a',
  'QUERY_STRING': 'b=1',
  'HTTP_HOST': 'example.com',
  'HTTP_REFERER': 'http://example.com/',
  'HTTP_USER_AGENT': 'curl/8.5.0',
  'evy.traceparent': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'wsgi.url_scheme': 'http',
  'evy.request_id': 'r-1',
};
const parse = (line: string) => JSON.parse(line) as Record<string, unknown>;

describe('a line of the access log', () => {
  it("is eventlet's, common, combined or JSON by name", () => {
    const { nowMs } = recordOf();
    expect(lineOf('eventlet')).to.equal(`192.0.2.1 - - [${eventletTime(nowMs)}] "GET / HTTP/1.1" 200 13 0.012346\n`);
    const common = /^192\.0\.2\.1 - - \[\d\d\/Nov\/2026:\d\d:\d\d:05 [+-]\d{4}\] "GET \/a\?b=1 HTTP\/1\.1" 200 13/;
    expect(lineOf('common', browser, { target: '/a?b=1' })).to.match(new RegExp(`${common.source}\\n$`));
    expect(lineOf('combined', browser, { target: '/a?b=1' })).to.match(
      new RegExp(`${common.source} "http://example\\.com/" "curl/8\\.5\\.0"\\n$`),
    );
    expect(parse(lineOf('json', browser, { target: '/a?b=1' }))).to.deep.equal({
      time: '2026-11-22T20:30:05.007Z',
      client_ip: '192.0.2.1',
      remote_addr: '192.0.2.1',
      method: 'GET',
      target: '/a?b=1',
      protocol: 'HTTP/1.1',
      scheme: 'http',
      host: 'example.com',
      status_code: 200,
      body_length: 13,
      bytes_sent: 150,
      duration_ms: 12.346,
      outcome: 'sent',
      referer: 'http://example.com/',
      user_agent: 'curl/8.5.0',
      request_id: 'r-1',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      pid: process.pid,
      generation: 3,
    });
  });

  it('has each field, as text or as number', () => {
    const format =
      '%(client_port)s|%(path)s|%(query)s|%(scheme)s|%(host)s|%(status_code)d|%(wall_seconds).3f|%(wall_seconds)d|' +
      '%(duration_ms)s|%(bytes_sent)s|%(outcome)s|%(request_id)s|%(generation)s|%(time_iso)s|100%%';
    expect(lineOf(format, browser)).to.equal(
      '5555|/a|b=1|http|example.com|200|0.012|0|12.346|150|sent|r-1|3|2026-11-22T20:30:05.007Z|100%\n',
    );
  });

  it('has any header of the request and of the response, and texts of the environment', () => {
    const env = { 'HTTP_X_FOO': 'bar', 'CONTENT_TYPE': 'text/plain', 'app.user': 'ann', 'app.object': {} };
    const responseHeader = (name: string) => (name === 'x-cache' ? 'hit' : undefined);
    const format = '%({X-Foo}i)s %({content-type}i)s %({X-Cache}o)s %({x-b}o)s %({app.user}e)s %({app.object}e)s';
    expect(lineOf(format, env, { responseHeader })).to.equal('bar text/plain hit - ann -\n');
  });

  it('has a dash, or null, where there is nothing', () => {
    const unknown = { method: '', target: '', version: '' };
    expect(lineOf('"%(request_line)s" %(method)s %(referer)s "%(query)s" %(traceparent)s', {}, unknown)).to.equal(
      '"-" - - "-" -\n',
    );
    expect(parse(lineOf('json', {}, unknown))).to.include({
      method: null,
      target: null,
      protocol: null,
      referer: null,
    });
  });

  it('shows X-Forwarded-For in front of the peer, without blanks, when asked', () => {
    const client = (header: string, forwardedFor: boolean) =>
      compileFormat('%(client_ip)s %(remote_addr)s', { ...facts, forwardedFor })(
        recordOf({ HTTP_X_FORWARDED_FOR: header }),
      );
    expect(client('203.0.113.7, 198.51.100.2', true)).to.equal('203.0.113.7,198.51.100.2,192.0.2.1 192.0.2.1\n');
    expect(client('203.0.113.7', false)).to.equal('192.0.2.1 192.0.2.1\n');
    expect(client(' ', true)).to.equal('192.0.2.1 192.0.2.1\n');
    expect(client('1 2\t3', true)).to.equal('12\\x093,192.0.2.1 192.0.2.1\n');
  });

  it('shows bytes that are not printable ASCII as such', () => {
    const line = lineOf('"%(user_agent)s"', { HTTP_USER_AGENT: 'a"b\\c\r\n\t\0\x7f\x85\xe9\u2028€😀' });
    expect(line).to.equal(
      String.raw`"a\x22b\x5cc\x0d\x0a\x09\x00\x7f\x85\xe9\xe2\x80\xa8\xe2\x82\xac\xf0\x9f\x98\x80"` + '\n',
    );
  });

  it('is refused by the worker, too, when the format is wrong', () => {
    expect(() => compileFormat('%(nope)s', facts)).to.throw('option logFormat: there is no field nope');
  });
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.constantFrom('', '-', '"', '\\', '" 200 "', '\r\n', '\\x22', ' ', '\ud800'),
);
const texts = fc.record({ agent: anyText, referer: anyText, host: anyText, target: anyText, method: anyText });
type Texts = typeof texts extends fc.Arbitrary<infer T> ? T : never;
const recordWith = ({ agent, referer, host, target, method }: Texts) =>
  recordOf({ ...browser, HTTP_USER_AGENT: agent, HTTP_REFERER: referer, HTTP_HOST: host }, { target, method });

describe('whatever a client sends', () => {
  it('makes one line of printable ASCII, in each format', () => {
    const formats = ['eventlet', 'common', 'combined', 'json', fieldNames.map((name) => `%(${name})s`).join('" "')];
    for (const format of [...formats, '%({User-Agent}i)s']) {
      const line = compileFormat(format, { ...facts, forwardedFor: true });
      fc.assert(
        fc.property(texts, (given) => {
          expect(line(recordWith(given))).to.match(/^[ -~]*\n$/);
        }),
        { numRuns: 300 },
      );
    }
  });

  it('forges no field of a combined line', () => {
    const line = compileFormat('combined', facts);
    fc.assert(
      fc.property(texts, (given) => {
        const quoted = line(recordWith(given)).split('"');
        expect(quoted).to.have.length(7);
        expect(quoted[2]).to.equal(' 200 13 ');
        // What is shown is what was sent, when read back.
        const back = quoted[5]!.replaceAll(/\\x([0-9a-f]{2})/g, (_, byte: string) =>
          String.fromCharCode(Number.parseInt(byte, 16)),
        );
        if (/^[\0-\xff]*$/.test(given.agent)) expect(back).to.equal(given.agent || '-');
      }),
      { numRuns: 500 },
    );
  });

  it('is what a JSON line says', () => {
    const line = compileFormat('json', facts);
    fc.assert(
      fc.property(texts, (given) => {
        const parsed = parse(line(recordWith(given)));
        expect(Object.keys(parsed)).to.deep.equal(jsonFields.map(jsonKey));
        expect(parsed).to.include({ user_agent: given.agent, referer: given.referer, host: given.host });
        expect(parsed).to.include({ target: given.target || null, method: given.method || null });
      }),
      { numRuns: 500 },
    );
  });
});
