/** What a worker loads before its first request: memory and time that each reload pays for each worker. */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { projectRoot, readText, tempFolder } from '../../helpers/files.ts';
import { sendSignal } from '../../helpers/processes.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** Modules of Node that a worker may load, beside those that every process of Node has. */
const allowed = new Set([
  // node:cluster, and what it loads itself
  'assert',
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'net',
  'v8',
  // Node's own loader of modules
  'fs/promises',
  'module',
  'vm',
  'worker_threads',
  'wasi',
  // ours
  'diagnostics_channel',
  'os',
  'perf_hooks',
  'timers/promises',
  'tty',
]);

/** An application that writes down what its process has loaded when it is told to. */
const source = `
  import { writeFileSync } from 'node:fs';
  process.on('SIGUSR2', () => {
    const names = process.moduleLoadList.filter((name) => name.startsWith('NativeModule '));
    writeFileSync('loaded', names.map((name) => name.slice('NativeModule '.length)).join('\\n'));
  });
  export default (env, startResponse) => { startResponse('200 OK', []); return ['hello']; };`;
const bare = `
  import { writeFileSync } from 'node:fs';
  const names = process.moduleLoadList.filter((name) => name.startsWith('NativeModule '));
  writeFileSync('loaded', names.map((name) => name.slice('NativeModule '.length)).join('\\n'));`;

const publicModules = new Set(builtinModules.filter((name) => !name.startsWith('_')));
const loadedIn = async (folder: string): Promise<string[]> => {
  const text = await waitFor('the list', () =>
    readText(join(folder, 'loaded'))
      .catch(() => '')
      .then((one) => one || undefined),
  );
  return text.split('\n').filter((name) => publicModules.has(name));
};

describe('a worker that has had no request', () => {
  it('has loaded few modules of Node', async () => {
    const plain = await tempFolder({ 'bare.mjs': bare });
    await runEvy([], { program: join(plain, 'bare.mjs'), cwd: plain }).exit;
    const always = await loadedIn(plain);
    const folder = await tempFolder({ 'app.mjs': source });
    const evy = runEvy(['--port', '0', '--workers', '1', 'app.mjs'], { cwd: folder });
    const { pid } = await evy.until('worker.ready');
    sendSignal(pid as number, 'SIGUSR2');
    const loaded = await loadedIn(folder);
    expect(loaded.filter((name) => !always.includes(name) && !allowed.has(name))).to.deep.equal([]);
    // Its watchdog is a thread, which comes with its first work.
    const threads = await readText(`/proc/${String(pid)}/status`);
    expect(Number(/^Threads:\s*(\d+)/m.exec(threads)?.[1])).to.be.below(16);
    expect(evy.seen('worker.watched')).to.deep.equal([]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('has a watchdog when it may be debugged, since the master takes a thread at a breakpoint for a blocked one', async () => {
    const folder = await tempFolder({ 'app.mjs': source });
    const options = ['--port', '0', '--workers', '1', '--log-level', 'debug', 'app.mjs'];
    const evy = runEvy(options, { cwd: folder, env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } });
    await evy.until('worker.watched');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  /** The files that a file of the build loads with itself, that one included. */
  function graph(file: string, seen = new Set<string>()): Set<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, name] of text.matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";/gm))
      graph(join(dirname(file), name!), seen);
    return seen;
  }

  it('has loaded nothing of the master, and nothing that other applications and options need', () => {
    const entry = join(projectRoot, 'dist', 'worker', 'entry.js');
    const main = /import\("(\.[^"]+)"\)/.exec(readFileSync(entry, 'utf8'))![1]!;
    const files = [...graph(entry), ...graph(join(dirname(entry), main))];
    const sources = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^\/\/ ((?:src|node_modules)\/.*)$/gm)].map((match) => match[1]!),
    );
    expect(sources).to.include('src/worker/main.ts').and.to.include('src/worker/interfaces/wsgi.ts');
    const others = [
      /^node_modules\//,
      /^src\/(?:cli|master)\//,
      /^src\/shared\/(?:certificate|options\/(?:table|schemas|resolve|input))\.ts/,
      /^src\/worker\/interfaces\/(?!(?:wsgi|node-requests|parameter-names|application-kind)\.ts)/,
      /^src\/worker\/access-log\/(?:access-log|batches|compile|file-sink|socket-sink)\.ts/,
      /^src\/worker\/(?:one-process-server|process\/warm-up|watchdog\/(?:thread|verdict))\.ts/,
    ];
    expect(sources.filter((name) => others.some((pattern) => pattern.test(name)))).to.deep.equal([]);
  });
});
