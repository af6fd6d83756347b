import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, globSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import test, { after, before } from 'node:test';
import { imageFiles, productionPackages } from './image-files.ts';

const root = join(import.meta.dirname, '../..');

const directory = mkdtempSync(join(tmpdir(), 'helios-image-'));
const commands = join(directory, 'commands');
/** What a container would have. */
const env = { PATH: `${commands}:/usr/bin:/bin`, NODE_ENV: 'production' };

/** A second name of the file, or a copy where the folder is on another disk. */
function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

before(() => {
  for (const path of imageFiles()) place(join(root, path), join(directory, path));
  for (const path of productionPackages()) {
    // Packages inside a package are entries of their own.
    const files = globSync('**/*', { cwd: join(root, path), withFileTypes: true, exclude: ['node_modules'] });
    for (const file of files.filter((each) => each.isFile())) {
      const inside = relative(root, join(file.parentPath, file.name));
      place(join(root, inside), join(directory, inside));
    }
  }
  mkdirSync(commands);
  symlinkSync(process.execPath, join(commands, 'node'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** The image's health check against a port; resolves to its exit code. */
async function healthCheck(port: string): Promise<number | null> {
  const line = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .split('\n')
    .find((each) => each.startsWith('HEALTHCHECK'));
  const [command = '', ...args] = JSON.parse(line?.slice(line.indexOf('[')) ?? '[]') as string[];
  const child = execFile(command, args, { env: { ...env, HELIOS_PORT: port } });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

test('what the image holds starts with the Node.js on PATH and no development dependency, is healthy, and stops on its signal', async (context) => {
  const args = ['serve', '--host', '127.0.0.1', '--port', '0', '--data-dir', join(directory, 'data'), '--json'];
  const server = spawn(join(directory, 'bin/helios'), args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(server, 'exit') as Promise<[number | null]>;
  context.after(() => server.kill('SIGKILL'));
  let complaints = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  let port = '';
  for await (const line of createInterface(server.stdout)) {
    port = new URL((JSON.parse(line) as { url: string }).url).port;
    break;
  }
  assert.notEqual(port, '', complaints);
  assert.equal(await healthCheck(port), 0);
  server.kill('SIGTERM');
  const [code] = await exit;
  assert.equal(code, 0, complaints);
  assert.equal(await healthCheck(port), 1);
});

test('without API keys and on an address that others reach the image refuses to start, with one sentence', async () => {
  const settings = { ...env, HELIOS_HOST: '0.0.0.0', HELIOS_DATA_DIR: join(directory, 'data'), HELIOS_PORT: '0' };
  const server = spawn(join(directory, 'bin/helios'), ['serve'], {
    cwd: directory,
    env: settings,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const [code] = (await once(server, 'close')) as [number | null];
  assert.equal(code, 1);
  assert.match(complaint, /keys|insecure/);
});
