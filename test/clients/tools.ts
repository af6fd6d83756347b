import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

/** What is installed stays here from run to run; `make clean` removes it. */
const CACHE = join(import.meta.dirname, '../../.cache/clients');
const CONFIG = join(import.meta.dirname, 'config');
const COLLECTOR_VERSION = 'v0.156.0';
const TELEMETRYGEN_VERSION = 'v0.161.0';
const INSTALL_TIMEOUT_MS = 900_000;

const run = promisify(execFile);

async function has(command: string, argument = '--version'): Promise<boolean> {
  return run(command, [argument]).then(
    () => true,
    () => false,
  );
}

/** Installs what is missing by `steps`, once; the path, or null after skipping the test with the reason. */
async function tool(test: TestContext, name: string, needs: Record<string, string>, steps: () => Promise<void>) {
  const path = join(CACHE, name);
  if (existsSync(path)) return path;
  for (const [command, argument] of Object.entries(needs)) {
    if (await has(command, argument)) continue;
    const reason = `${name} cannot be installed: ${command} is missing`;
    if ((process.env['HELIOS_TEST_REQUIRE'] ?? '').split(',').includes('clients')) throw new Error(reason);
    test.skip(reason);
    return null;
  }
  mkdirSync(CACHE, { recursive: true });
  await steps();
  return path;
}

export async function curl(test: TestContext): Promise<string | null> {
  if (await has('curl')) return 'curl';
  test.skip('curl is missing');
  return null;
}

async function goInstall(module: string): Promise<void> {
  await run('go', ['install', module], { env: { ...process.env, GOBIN: CACHE }, timeout: INSTALL_TIMEOUT_MS });
}

export function grpcurl(test: TestContext): Promise<string | null> {
  return tool(test, 'grpcurl', { go: 'version' }, () => goInstall('github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4'));
}

export function telemetrygen(test: TestContext): Promise<string | null> {
  const module = `github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@${TELEMETRYGEN_VERSION}`;
  return tool(test, 'telemetrygen', { go: 'version' }, () => goInstall(module));
}

/** The OpenTelemetry Collector with the OTLP receiver and exporters, built by its own builder: minutes at the first time. */
export function collector(test: TestContext): Promise<string | null> {
  return tool(test, 'otelcol', { go: 'version' }, async () => {
    await goInstall(`go.opentelemetry.io/collector/cmd/builder@${COLLECTOR_VERSION}`);
    const args = ['--config', join(CONFIG, 'collector-build.yaml')];
    await run(join(CACHE, 'builder'), args, { cwd: CACHE, timeout: INSTALL_TIMEOUT_MS });
    await run('cp', [join(CACHE, 'build/otelcol'), join(CACHE, 'otelcol')]);
  });
}

/** A Python interpreter with the OpenTelemetry SDK and its OTLP exporters. */
export async function python(test: TestContext): Promise<string | null> {
  const marker = await tool(test, 'python/installed', { python3: '--version' }, async () => {
    await run('python3', ['-m', 'venv', join(CACHE, 'python')]);
    const packages = ['opentelemetry-sdk==1.45.2', 'opentelemetry-exporter-otlp==1.45.2'];
    await run(join(CACHE, 'python/bin/pip'), ['install', '--quiet', ...packages], { timeout: INSTALL_TIMEOUT_MS });
    writeFileSync(join(CACHE, 'python/installed'), '');
  });
  return marker && join(CACHE, 'python/bin/python');
}

/** Debian's package, unpacked and not installed. */
export function prometheus(test: TestContext): Promise<string | null> {
  return tool(test, 'prometheus/usr/bin/prometheus', { 'apt-get': '--version', dpkg: '--version' }, async () => {
    await run('apt-get', ['download', 'prometheus'], { cwd: CACHE, timeout: INSTALL_TIMEOUT_MS });
    const file = readdirSync(CACHE).find((name) => name.startsWith('prometheus_')) as string;
    await run('dpkg', ['-x', join(CACHE, file), join(CACHE, 'prometheus')]);
  });
}

/**
 * A configuration as docs/send-data.md shows it, written into `directory` with the ports of the test in the place of the
 * usual ones; returns the file's path.
 */
export function writeConfig(name: string, directory: string, ports: Readonly<Record<number, number | string>>): string {
  let text = readFileSync(join(CONFIG, name), 'utf8');
  for (const [usual, port] of Object.entries(ports)) text = text.replaceAll(`:${usual}`, `:${port}`);
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

export interface Finished {
  stdout: string;
  stderr: string;
}

/** Runs a client to its end; rejects with what it said when it fails. */
export async function finished(command: string, args: readonly string[], timeoutMs = 60_000): Promise<Finished> {
  return run(command, args, { timeout: timeoutMs, maxBuffer: 64 * 2 ** 20 });
}

/** A client that runs until its scope ends; it is told to stop and waited for. */
export class RunningClient implements AsyncDisposable {
  readonly #child;
  readonly #exit: Promise<unknown>;
  output = '';

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exit = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output = (this.output + text).slice(-20_000)));
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await this.#exit;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
