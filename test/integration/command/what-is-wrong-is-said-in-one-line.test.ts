import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { certfile, keyfile, otherKeyfile } from '../../helpers/certificates.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { answering } from './serving.ts';

interface Wrong {
  name: string;
  args: string[];
  code: number;
  /** what the line has to name */
  says: RegExp;
  files?: Record<string, string>;
  env?: Record<string, string>;
}

const port = ['--port', '0'];
const app = ['-w', '1', ...port, 'app.mjs'];
const tls = (certificate: string, key: string) => ['--certfile', certificate, '--keyfile', key];

const wrong: Wrong[] = [
  { name: 'an unknown flag', args: ['--wrokers', '2', 'app.mjs'], code: 2, says: /--wrokers.*--workers/ },
  { name: 'a flag without its value', args: ['app.mjs', '--port'], code: 2, says: /--port/ },
  { name: 'a port that is none', args: ['--port', '99999', 'app.mjs'], code: 2, says: /--port.*99999/ },
  { name: 'no workers', args: [...port, '--workers', '0', 'app.mjs'], code: 2, says: /--workers.*0/ },
  { name: 'a time that is none', args: [...port, '--grace', 'soon', 'app.mjs'], code: 2, says: /--grace.*soon/ },
  {
    name: 'a wrong variable',
    args: app,
    env: { EVY_GRACE: 'never' },
    code: 2,
    says: /EVY_GRACE.*never/,
  },
  { name: 'an unknown interface', args: ['--interface', 'rack', ...app], code: 2, says: /--interface.*rack/ },
  { name: 'an address that is none', args: ['--bind', '::1:80', 'app.mjs'], code: 2, says: /--bind ::1:80.*brackets/ },
  { name: 'no application', args: port, code: 2, says: /the application is missing/ },
  {
    name: 'a certificate that is missing',
    args: [...tls('none.pem', keyfile), ...app],
    code: 2,
    says: /certfile.*none\.pem/,
  },
  {
    name: 'a certificate that is none',
    args: [...tls('app.mjs', keyfile), ...app],
    code: 2,
    says: /certfile.*app\.mjs/,
  },
  {
    name: 'a key that does not match its certificate',
    args: [...tls(certfile, otherKeyfile), ...app],
    code: 2,
    says: /cert\.pem.*other-key\.pem|other-key\.pem.*cert\.pem/,
  },
  { name: 'TLS without a certificate', args: ['--bind', 'tls:127.0.0.1:0', 'app.mjs'], code: 2, says: /certfile/ },
  {
    name: 'a configuration file that is missing',
    args: ['--config', 'none.json', ...app],
    code: 2,
    says: /none\.json/,
  },
  {
    name: 'an unknown option in the configuration file',
    args: app,
    files: { 'evy.config.json': '{ "wrokers": 2 }' },
    code: 2,
    says: /evy\.config\.json.*wrokers.*workers/,
  },
  {
    name: 'a wrong value in the configuration file',
    args: ['app.mjs', ...port],
    files: { 'evy.config.json': '{ "workers": "many" }' },
    code: 2,
    says: /evy\.config\.json.*workers|workers.*evy\.config\.json/,
  },
  {
    name: 'a configuration file that is no JSON',
    args: app,
    files: { 'evy.config.json': '{ "workers": }' },
    code: 2,
    says: /evy\.config\.json/,
  },
  {
    name: 'a socket in a folder that is not there',
    args: ['--bind', 'unix:none/evy.sock', 'app.mjs'],
    code: 3,
    says: /--bind unix:.*none\/evy\.sock: the folder .*none does not exist$/m,
  },
  { name: 'a host that is not ours', args: ['--host', '192.0.2.1', ...app], code: 3, says: /192\.0\.2\.1/ },
  {
    name: 'a folder where nothing may be made',
    args: ['--bind', 'unix:/proc/evy.sock', 'app.mjs'],
    code: 3,
    says: /--bind unix:\/proc\/evy\.sock/,
  },
  {
    name: 'an application that is missing',
    args: ['-w', '1', ...port, 'none.mjs'],
    code: 4,
    says: /none\.mjs.*this module does not exist/,
  },
  {
    name: 'a middleware that is missing',
    args: [...app, 'none.mjs'],
    code: 4,
    says: /middleware .*none\.mjs: this module does not exist/,
  },
  {
    name: 'an export that is missing',
    args: ['-w', '1', ...port, 'app.mjs:handler'],
    code: 4,
    says: /app\.mjs has no export handler; it exports default/,
  },
  {
    name: 'an export that is no function',
    args: app,
    files: { 'app.mjs': 'export default { answer: 42 };' },
    code: 4,
    says: /app\.mjs:default is an object with answer; with --interface auto it must be a function/,
  },
  {
    name: 'an application that is never ready',
    args: ['--boot-timeout', '500ms', ...app],
    files: { 'app.mjs': 'await new Promise(() => {});' },
    code: 3,
    says: /500ms \(option bootTimeout\)/,
  },
];

/** Its own stack trace is for the user to read. */
const withStack: Wrong[] = [
  {
    name: 'an application that throws',
    args: app,
    files: { 'app.mjs': "function helper() {\n  throw new RangeError('not today');\n}\nhelper();" },
    code: 4,
    says: /^evy: .*app\.mjs failed to load: not today\n\nRangeError: not today\n\s+at helper \(.*app\.mjs:2:9\)\n\s+at .*app\.mjs:4:1\n/,
  },
  {
    name: 'an application that ends its process',
    args: app,
    files: { 'app.mjs': 'process.exit(7);' },
    code: 3,
    says: /^evy: .*exit code 7; its last error: process\.exit\(7\) was called\n\nError: .*\n\s+at .*app\.mjs:1:9\n/,
  },
  {
    name: 'an application with a syntax error',
    args: app,
    files: { 'app.mjs': '\nexport default (env, start => {' },
    code: 4,
    says: /^evy: .*app\.mjs failed to load: .*\n\n.*app\.mjs:2\n/,
  },
  {
    name: 'a configuration file with a syntax error',
    args: app,
    files: { 'evy.config.mjs': 'export default {' },
    code: 2,
    says: /^evy: .*evy\.config\.mjs failed to load: .*\n\n.*evy\.config\.mjs:1\n/,
  },
  {
    name: 'a configuration file that throws',
    args: app,
    files: { 'evy.config.mjs': "throw new Error('no settings');" },
    code: 2,
    says: /^evy: .*evy\.config\.mjs failed to load: no settings\n\nError: no settings\n\s+at .*evy\.config\.mjs:1:7\n/,
  },
];

interface Ended {
  code: number | null;
  /** what is no log line */
  text: string;
}

async function end({ args, files, env = {} }: Omit<Wrong, 'name' | 'code' | 'says'>): Promise<Ended> {
  const cwd = await tempFolder({ 'app.mjs': answering('fine'), ...files });
  const evy = runEvy(args, { cwd, env });
  const { code } = await evy.exit;
  const lines = evy.output().split('\n');
  return { code, text: lines.filter((line) => !line.startsWith('{"level"')).join('\n') };
}

function expectOneLine({ text }: Ended, says: RegExp): void {
  expect(text.trimEnd().split('\n'), text).to.have.length(1);
  expect(text)
    .to.match(/^evy: /)
    .and.match(says);
}

describe('what is wrong is said in one line, which names it', () => {
  for (const one of wrong) {
    it(`${one.name}: exit code ${one.code}`, async () => {
      const ended = await end(one);
      expectOneLine(ended, one.says);
      expect(ended.code).to.equal(one.code);
    });
  }

  it('an address in use: exit code 3', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onEnd(() => server.close());
    await once(server, 'listening');
    const taken = String((server.address() as AddressInfo).port);
    const ended = await end({ args: ['-w', '1', '--port', taken, 'app.mjs'] });
    expectOneLine(ended, new RegExp(`--port ${taken}.*(in use|another process)`));
    expect(ended.code).to.equal(3);
    const second = await end({ args: ['--bind', '127.0.0.1:0', '--bind', `127.0.0.1:${taken}`, 'app.mjs'] });
    expectOneLine(second, new RegExp(`--bind 127\\.0\\.0\\.1:${taken}`));
    expect(second.code).to.equal(3);
  });

  it('a port that the user may not bind: exit code 3', async function () {
    if (process.getuid?.() === 0) return this.skip(); // root may
    const ended = await end({ args: ['--port', '1', 'app.mjs'] });
    expectOneLine(ended, /--port 1.*permission/);
    expect(ended.code).to.equal(3);
  });
});

describe('what is wrong inside of a file of the user is shown with its own stack trace', () => {
  for (const one of withStack) {
    it(`${one.name}: exit code ${one.code}`, async () => {
      const { code, text } = await end(one);
      expect(text).to.match(one.says);
      expect(text).to.not.match(/at .*\/dist\//);
      expect(code).to.equal(one.code);
    });
  }
});
