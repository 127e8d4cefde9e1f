/** A real proxy - HAProxy, nginx - in front of the server under test, for the length of a test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';
import { onEnd } from './cleanup.ts';
import { tempFolder } from './files.ts';
import { connect } from './raw-client.ts';
import { waitFor, withDeadline } from './wait-for.ts';

/** Path of a program, also where only root's PATH leads; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The program's path; without it the tests of this suite are skipped, with a line that says so. */
export function needProgram(suite: Context, name: string): string {
  const path = findProgram(name);
  if (path === undefined) {
    console.log(`      SKIPPED: ${name} is not installed`);
    suite.skip();
  }
  return path;
}

export interface ProxyProgram {
  path: string;
  /** arguments, given the folder in which the configuration lies */
  args: (folder: string) => string[];
  files: Readonly<Record<string, string | Uint8Array>>;
  /** a port of its own, by which one sees that it serves */
  port: number;
}

const startWithinMs = 30_000;

/** Starts it; resolves when it accepts connections. Ended when the test is over. */
export async function startProxy({ path, args, files, port }: ProxyProgram): Promise<void> {
  const folder = await tempFolder(files);
  const child = spawn(path, args(folder), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()));
  onEnd(async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
    await withDeadline(`the end of ${path}`, exit, 20_000);
    clearTimeout(timer);
  });
  const accepts = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`${path} ended with ${child.exitCode}:\n${output}`);
    return connect({ port }).then(
      (client) => {
        client.close();
        return true;
      },
      () => false,
    );
  };
  await waitFor(`${path} to accept`, accepts, { withinMs: startWithinMs });
}

const nginxFolders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** Starts nginx, given what its section `http` contains besides the folders. */
export function startNginx({ path, port, http }: { path: string; port: number; http: string }): Promise<void> {
  const config = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${nginxFolders.map((name) => `${name}_temp_path temp/${name};`).join('\n  ')}
${http}
}`;
  return startProxy({
    path,
    args: (folder) => ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'],
    files: { 'nginx.conf': config, 'temp/.keep': '' },
    port,
  });
}
