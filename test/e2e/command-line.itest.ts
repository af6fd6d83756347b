import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';

const launcher = join(import.meta.dirname, '../../bin/helios');

function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'helios command line '));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function run(cwd: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(launcher, args, { cwd, encoding: 'utf8' });
}

interface Server {
  process: ChildProcess;
  url: string;
}

/** Starts `helios serve --json` on a free port and waits for its first line. */
async function serve(context: TestContext, dataDir: string, ...args: string[]): Promise<Server> {
  const child = spawn(launcher, ['serve', '--json', '--port', '0', '--data-dir', dataDir, ...args], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => child.kill('SIGKILL'));
  const died = once(child, 'exit').then(([code]) => assert.fail(`the server ended with ${code} before it was ready`));
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), died])) as [string];
  const { ready, url } = JSON.parse(line) as { ready: boolean; url: string };
  assert.equal(ready, true);
  return { process: child, url };
}

test('the launcher works through a link, from another directory, in a path with a space', (context) => {
  const cwd = temporaryDirectory(context);
  const link = join(cwd, 'helios');
  symlinkSync(launcher, link);
  const { status, stdout } = spawnSync(link, ['--version'], { cwd, encoding: 'utf8' });
  assert.equal(status, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('wrong usage ends with 2, a failure with 1 and one sentence', (context) => {
  const cwd = temporaryDirectory(context);
  writeFileSync(join(cwd, 'helios.yaml'), 'prot: 80\n');
  const usage = run(cwd, 'serve', '--prot', '80');
  assert.equal(usage.status, 2);
  assert.match(usage.stderr, /Did you mean --port\?/);
  const config = run(cwd, 'config', 'check');
  assert.equal(config.status, 1);
  assert.equal(config.stderr, 'helios: cannot use the configuration: helios.yaml:1:1: unknown key prot; did you mean port?\n');
});

test('a server says when it is ready, answers, and ends with 0 at the first signal', async (context) => {
  const dataDir = join(temporaryDirectory(context), 'data');
  const server = await serve(context, dataDir);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
  const event = { timestamp: new Date().toISOString(), service: 'shop', level: 'INFO', message: 'hello' };
  const answer = await fetch(`${server.url}/api/v1/events`, { method: 'POST', body: JSON.stringify(event) });
  assert.deepEqual([answer.status, await answer.json()], [202, { accepted: 1 }]);
  server.process.kill('SIGTERM');
  assert.deepEqual(await once(server.process, 'exit'), [0, null]);
});

test('a data directory that another process has open is refused with one sentence', async (context) => {
  const dataDir = join(temporaryDirectory(context), 'data');
  const server = await serve(context, dataDir);
  const second = run(tmpdir(), 'serve', '--port', '0', '--data-dir', dataDir);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /helios: cannot [^\n]+\n$/);
  server.process.kill('SIGINT');
  assert.deepEqual(await once(server.process, 'exit'), [0, null]);
});

test('a port in use and a data directory that is a file end with 1 and one sentence', async (context) => {
  const cwd = temporaryDirectory(context);
  const taken = createServer();
  context.after(() => taken.close());
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  const { port } = taken.address() as AddressInfo;
  const inUse = run(cwd, 'serve', '--port', String(port), '--data-dir', join(cwd, 'a'));
  assert.equal(inUse.status, 1);
  assert.match(inUse.stderr, new RegExp(`helios: cannot [^\\n]*${port}[^\\n]*\\n$`));
  writeFileSync(join(cwd, 'file'), '');
  const notDirectory = run(cwd, 'serve', '--port', '0', '--data-dir', join(cwd, 'file'));
  assert.equal(notDirectory.status, 1);
  assert.match(notDirectory.stderr, /helios: cannot [^\n]+\n$/);
});

test('an address that others can reach needs API keys', (context) => {
  const cwd = temporaryDirectory(context);
  const dataDir = join(cwd, 'data');
  mkdirSync(dataDir);
  const { status, stderr } = run(cwd, 'serve', '--port', '0', '--host', '0.0.0.0', '--data-dir', dataDir);
  assert.equal(status, 1);
  assert.match(stderr, /helios: cannot [^\n]+\n$/);
  assert.equal(existsSync(join(dataDir, 'store.db')), false);
});
