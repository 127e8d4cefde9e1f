import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  accessFieldTable,
  fieldNames,
  jsonFields,
  jsonKey,
  namedFormats,
} from '../../../src/shared/options/access-fields.ts';
import { parseFormat } from '../../../src/shared/options/access-format.ts';
import { isSkipPattern, parseAccessTarget } from '../../../src/shared/options/access-target.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';
import { projectRoot } from '../../helpers/files.ts';

const whyNot = (format: string): string => {
  const parsed = parseFormat(format);
  return parsed.kind === 'wrong' ? parsed.why : parsed.kind;
};

describe('formats of the access log', () => {
  it('are names, or texts with fields', () => {
    for (const name of namedFormats.keys()) expect(parseFormat(name).kind, name).to.equal('pieces');
    expect(parseFormat('json')).to.deep.equal({ kind: 'json' });
    expect(
      parseFormat('100%% %(status_code)d x %({X-A}i)s%({x-b}o)s %({evy.user}e)s %(wall_seconds).3f'),
    ).to.deep.equal({
      kind: 'pieces',
      pieces: [
        { kind: 'literal', text: '100' },
        { kind: 'literal', text: '%' },
        { kind: 'literal', text: ' ' },
        { kind: 'field', name: 'status_code', conversion: { as: 'd' } },
        { kind: 'literal', text: ' x ' },
        { kind: 'request-header', name: 'X-A' },
        { kind: 'response-header', name: 'x-b' },
        { kind: 'literal', text: ' ' },
        { kind: 'environ', name: 'evy.user' },
        { kind: 'literal', text: ' ' },
        { kind: 'field', name: 'wall_seconds', conversion: { as: 'f', digits: 3 } },
      ],
    });
  });

  it('are refused with the reason', () => {
    for (const [format, why] of [
      ['combnied', 'the text has no field: did you mean combined?'],
      ['', 'the text has no field'],
      ['just text', 'the text has no field'],
      ['%h %(status_code)s', 'a percent sign must be written %%, and a field %(name)s'],
      ['%(status_code)s 5%', 'a percent sign must be written %%, and a field %(name)s'],
      ['%(user_agnt)s', 'there is no field user_agnt: did you mean user_agent?'],
      ['%(toString)s', 'there is no field toString'],
      ['%(status_code) ', 'a field must be written %(name)s, but there is %(status_code) '],
      ['%(status_code)x', '%(status_code)x must end in s, d or f'],
      ['%(client_ip)d', 'the field client_ip is text, so it must end in s'],
      ['%({X-A}i)d', '%({X-A}i)d is text, so it must end in s'],
      [
        '%({X-A}z)s',
        'the letter behind the braces of %({X-A}z)s must be i (request header), o (response header) or e (environment)',
      ],
      ['%({X A}i)s', 'X A is not a header name'],
      ['%(status_code)s\n', 'the text must not contain a line end'],
    ]) {
      expect(whyNot(format!), format).to.equal(why);
    }
  });

  it('are checked with the option, by its name', () => {
    expect(() => resolveInput({ app: 'app.ts', logFormat: '%(status_cod)s' })).to.throw(
      'option logFormat must be eventlet, common, combined, json, or text with %(name)s fields ' +
        "(there is no field status_cod: did you mean status_code?) (got '%(status_cod)s')",
    );
    expect(resolveInput({ app: 'app.ts', logFormat: 'combined' }).logFormat).to.equal('combined');
  });

  it('have members in JSON that are fields', () => {
    expect(fieldNames).to.include.members([...jsonFields]);
    expect(new Set(jsonFields.map(jsonKey)).size).to.equal(jsonFields.length);
  });

  it('are documented, each field with what it is', async () => {
    const page = await readFile(join(projectRoot, 'docs/access-log.md'), 'utf8');
    for (const name of fieldNames) expect(page).to.include(`| \`${name}\` | ${accessFieldTable[name].help} |`);
    for (const [name, format] of namedFormats) expect(page, name).to.include(`\`${format}\``);
  });
});

describe('the target of the access log', () => {
  it('is off, standard output, a file or a socket', () => {
    expect(parseAccessTarget('off')).to.deep.equal({ kind: 'off' });
    expect(parseAccessTarget('-')).to.deep.equal({ kind: 'stdout' });
    expect(parseAccessTarget('/var/log/a:b.log')).to.deep.equal({ kind: 'file', path: '/var/log/a:b.log' });
    expect(parseAccessTarget('unix:/run/log.sock')).to.deep.equal({ kind: 'unix', path: '/run/log.sock' });
    expect(parseAccessTarget('tcp:logs.example:5140')).to.deep.equal({ kind: 'tcp', host: 'logs.example', port: 5140 });
    expect(parseAccessTarget('tcp:[::1]:514')).to.deep.equal({ kind: 'tcp', host: '::1', port: 514 });
  });

  it('is refused when it is none of them', () => {
    for (const text of ['', 'unix:', 'tcp:', 'tcp:host', 'tcp:host:0', 'tcp:host:65536', 'tcp:::1:514', 'tcp:a b:1']) {
      expect(parseAccessTarget(text), text).to.equal(undefined);
      expect(() => resolveInput({ app: 'app.ts', accessLog: text }), text).to.throw('option accessLog must be ');
    }
  });

  it('has its relative paths resolved', () => {
    const { accessLog } = resolveInput({ app: 'app.ts', accessLog: 'unix:log.sock' }, '/srv');
    expect(accessLog).to.equal('unix:/srv/log.sock');
    expect(resolveInput({ app: 'app.ts', accessLog: 'tcp:a:1' }, '/srv').accessLog).to.equal('tcp:a:1');
  });
});

describe('paths that leave no line', () => {
  it('begin with a slash and may end with a star', () => {
    for (const path of ['/', '/health', '/assets/*', '/*']) expect(isSkipPattern(path), path).to.equal(true);
    for (const path of ['', 'health', '*', '/a*b', '/a?b', '/a b', '/a**']) {
      expect(isSkipPattern(path), path).to.equal(false);
      expect(() => resolveInput({ app: 'app.ts', accessLogSkip: [path] }), path).to.throw(
        'option accessLogSkip must be ',
      );
    }
  });
});
