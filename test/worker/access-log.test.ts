import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Environ } from '../../src/shared/application.ts';
import { serverOptionTable } from '../../src/shared/options.ts';
import {
  accessFields,
  accessLogTo,
  compileFormat,
  escapeField,
  logDate,
  openAccessLog,
} from '../../src/worker/access-log.ts';
import { readText, tempFolder } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait-for.ts';

const fields = {
  client_ip: '192.0.2.1',
  date_time: '22/Nov/2026 21:30:05',
  request_line: 'GET / HTTP/1.1',
  status_code: 200,
  body_length: 13,
  wall_seconds: 0.0123456789,
};
const env = (headers: Record<string, string> = {}): Environ =>
  ({
    REMOTE_ADDR: '192.0.2.1',
    REQUEST_METHOD: 'GET',
    RAW_URI: '/',
    SERVER_PROTOCOL: 'HTTP/1.1',
    ...headers,
  }) as unknown as Environ;

describe('the access log', () => {
  it("has eventlet's line as its default", () => {
    const line = compileFormat(serverOptionTable.logFormat.default)(fields);
    expect(line).to.equal('192.0.2.1 - - [22/Nov/2026 21:30:05] "GET / HTTP/1.1" 200 13 0.012346');
  });

  it('has each field, as text or as number', () => {
    const format =
      '%(client_ip)s|%(date_time)s|%(request_line)s|%(status_code)d|%(body_length)s|%(wall_seconds).3f|%(wall_seconds)f';
    expect(compileFormat(format)(fields)).to.equal(
      '192.0.2.1|22/Nov/2026 21:30:05|GET / HTTP/1.1|200|13|0.012|0.012346',
    );
  });

  it('takes %% for a percent sign and leaves other text alone', () => {
    expect(compileFormat('100%% %(status_code)s %x')(fields)).to.equal('100% 200 %x');
    expect(compileFormat('%%(status_code)s')(fields)).to.equal('%(status_code)s');
  });

  it('refuses a field that there is not, by name', () => {
    expect(() => compileFormat('%(user_agent)s')).to.throw('user_agent');
    expect(() => compileFormat('%(toString)s')).to.throw('toString');
  });

  it('escapes what could end a line or a quoted field', () => {
    expect(escapeField('a"b\\c\r\n\t\0\x7f\x85é€')).to.equal('a\\x22b\\x5cc\\x0d\\x0a\\x09\\x00\\x7f\\x85é€');
    const line = compileFormat('"%(request_line)s"')({ ...fields, request_line: 'GET /" 200 "\n HTTP/1.1' });
    expect(line).to.equal('"GET /\\x22 200 \\x22\\x0a HTTP/1.1"');
  });

  it('writes dates in local time with two digits each', () => {
    expect(logDate(new Date(2026, 0, 2, 3, 4, 5))).to.equal('02/Jan/2026 03:04:05');
    expect(logDate(new Date(2026, 11, 31, 23, 59, 59))).to.equal('31/Dec/2026 23:59:59');
  });

  it('shows X-Forwarded-For in front of the peer, without blanks, when asked', () => {
    const forwarded = env({ HTTP_X_FORWARDED_FOR: '203.0.113.7, 198.51.100.2' });
    expect(accessFields(forwarded, 200, 0, 0, true).client_ip).to.equal('203.0.113.7,198.51.100.2,192.0.2.1');
    expect(accessFields(forwarded, 200, 0, 0, false).client_ip).to.equal('192.0.2.1');
    expect(accessFields(env(), 200, 0, 0, true).client_ip).to.equal('192.0.2.1');
    expect(accessFields(env({ HTTP_X_FORWARDED_FOR: ' ' }), 200, 0, 0, true).client_ip).to.equal('192.0.2.1');
  });

  it('writes whole lines to whatever takes them', () => {
    const lines: string[] = [];
    accessLogTo({ write: (line) => lines.push(line) }, '%(status_code)s').write(fields);
    expect(lines).to.deep.equal(['200\n']);
  });

  it('writes to a file in batches, and to the file of that name anew after reopening', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'access.log');
    const log = await openAccessLog(path, '%(status_code)s', (error) => {
      throw error;
    });
    await waitFor('the file', () => existsSync(path));
    log.write(fields);
    await log.close();
    expect(await readText(path)).to.equal('200\n');
    await rename(path, `${path}.1`);
    log.reopen();
    await waitFor('the file again', () => existsSync(path));
    log.write({ ...fields, status_code: 404 });
    await log.close();
    expect(await readText(path)).to.equal('404\n');
    expect(await readText(`${path}.1`)).to.equal('200\n');
  });
});
