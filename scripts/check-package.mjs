/**
 * The packaging check: what a user gets. Packs the package, installs the tarball in an empty folder, compares its files with
 * those of the build, compiles and runs
 * `import 'evy'` there, and runs each application of the README from it with the installed command.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { builtFiles } from './lib/build.mjs';
import { prepare } from './lib/prepare.mjs';
import { inRoot, root, say } from './lib/project.mjs';

const stepMs = 120_000;
const readyMs = 30_000;

function must(command, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: stepMs });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? status}\n${stdout}${stderr}`);
  return stdout;
}

/** Each code block of the README that is a whole application, and the file to write it to. */
function applicationsOf(readme) {
  const applications = [];
  for (const [, language, code] of readme.matchAll(/^```(ts|js)\n(.*?)^```$/gms)) {
    if (!/^export default\b/m.test(code)) continue;
    const named = /^\/\/ ([\w.-]+\.[cm]?[jt]s)\b/.exec(code)?.[1];
    applications.push({ name: named ?? (language === 'ts' ? 'app.ts' : 'app.mjs'), code });
  }
  if (applications.length > 0) return applications;
  throw new Error('README.md has no ts or js block with an application (export default ...)');
}

/** The packages that an application imports, and tsx for TypeScript on a Node that cannot strip types, as the README says. */
function extraPackages({ name, code }) {
  const imported = [...code.matchAll(/^import .* from '([a-z][\w-]*)';$/gm)].map(([, module]) => module);
  if (name.endsWith('ts') && !process.features.typescript) imported.push('tsx');
  return imported
    .filter((module) => module !== 'evy')
    .map((module) => {
      const { version } = JSON.parse(readFileSync(inRoot('node_modules', module, 'package.json'), 'utf8'));
      return `${module}@${version}`;
    });
}

function installTarball(folder, applications) {
  must('npm', ['pack', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  must('npm', ['install', ...flags, `./${tarball}`, ...new Set(applications.flatMap(extraPackages))], folder);
}

/** The package has the files of the last build: none of an earlier one, and not the stamp. */
function checkFiles(folder) {
  const packed = join(folder, 'node_modules', 'evy', 'dist');
  const names = readdirSync(packed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(packed, join(entry.parentPath, entry.name)));
  const built = builtFiles();
  const surplus = names.filter((name) => !built.includes(name));
  const missing = built.filter((name) => !names.includes(name));
  if (surplus.length > 0) throw new Error(`the package has files that the build did not make: ${surplus.join(', ')}`);
  if (missing.length > 0) throw new Error(`the package lacks files of the build: ${missing.join(', ')}`);
  say(`it has the ${names.length} files of the build`);
}

function checkImport(folder) {
  const use =
    'const names = [typeof evy.listen, typeof evy.wsgi.server, typeof evy.createMaster];\nconsole.log(names.join());\n';
  writeFileSync(join(folder, 'use.mjs'), `import * as evy from 'evy';\n${use}`);
  const printed = must(process.execPath, ['use.mjs'], folder).trim();
  if (printed !== 'function,function,function') throw new Error(`import 'evy' gave ${printed}`);
  say("import 'evy' works");
}

function checkTypes(folder) {
  const use =
    "import { createMaster, type App } from 'evy';\nexport const app: App = (env, start) => (start('200 OK', []), [env.PATH_INFO, typeof createMaster]);\n";
  writeFileSync(join(folder, 'use.ts'), use);
  const types = ['--types', 'node', '--typeRoots', inRoot('node_modules', '@types')];
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', ...types];
  must(process.execPath, [inRoot('node_modules', 'typescript', 'bin', 'tsc'), ...strict, 'use.ts'], folder);
  say('its types resolve');
}

/** Resolves with the log line `master.ready`. */
function untilReady(child) {
  return new Promise((resolve, reject) => {
    const output = [];
    const late = setTimeout(() => reject(new Error(`not ready within ${readyMs} ms:\n${output.join('\n')}`)), readyMs);
    createInterface({ input: child.stderr }).on('line', (line) => {
      output.push(line);
      if (!line.includes('"master.ready"')) return;
      clearTimeout(late);
      resolve(JSON.parse(line));
    });
    child.on('exit', (code) => reject(new Error(`evy ended with ${code}:\n${output.join('\n')}`)));
  });
}

async function checkApplication(folder, { name, code }) {
  writeFileSync(join(folder, name), code);
  const args = [name, '--port', '0', '--workers', '2', '--log-style', 'json'];
  const child = spawn(join(folder, 'node_modules', '.bin', 'evy'), args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', (exitCode, signal) => resolve(exitCode ?? signal)));
  try {
    const { addresses } = await untilReady(child);
    const response = await fetch(`http://${addresses[0]}/`, { signal: AbortSignal.timeout(readyMs) });
    const body = await response.text();
    if (response.status !== 200 || body === '')
      throw new Error(`the application responded with ${response.status} '${body}'`);
    child.kill('SIGTERM');
    const late = new Promise((resolve) => setTimeout(resolve, readyMs, 'nothing: it still runs').unref());
    const end = await Promise.race([ended, late]);
    if (end !== 0) throw new Error(`after SIGTERM, the application ended with ${end}`);
    say(`an application of the README runs: ${name} responds with ${JSON.stringify(body.slice(0, 60))}`);
  } finally {
    child.kill('SIGKILL');
  }
}

await prepare();
const folder = mkdtempSync(join(tmpdir(), 'evy-package-'));
try {
  const applications = applicationsOf(readFileSync(inRoot('README.md'), 'utf8'));
  installTarball(folder, applications);
  checkFiles(folder);
  checkImport(folder);
  checkTypes(folder);
  for (const application of applications) await checkApplication(folder, application);
} catch (error) {
  console.error(`evy: the packaging check failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
