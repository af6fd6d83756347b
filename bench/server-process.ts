import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LAUNCHER = join(import.meta.dirname, '../bin/helios');

/** An empty directory that is gone when its scope ends. */
export function temporaryDirectory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'helios-bench-'));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

export interface ServerOptions {
  dataDir: string;
  /** Further arguments of `helios serve`. */
  args?: readonly string[];
}

/** What the ready line of `helios serve --json` says: where the API, OTLP over HTTP, and gRPC (no scheme needed) listen. */
export interface ReadyLine {
  url: string;
  otlpUrl: string;
  grpcUrl: string;
}

/** `helios serve` in a process of its own. Disposing of it kills it when it still runs. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly otlpUrl: string;
  readonly grpcUrl: string;
  readonly child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #said: () => string;

  private constructor({ url, otlpUrl, grpcUrl }: ReadyLine, child: ChildProcess, said: () => string) {
    this.url = url;
    this.otlpUrl = otlpUrl;
    this.grpcUrl = grpcUrl;
    this.child = child;
    this.#said = said;
    this.#exit = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');
  }

  /** Starts it on a free port and waits until it is ready; rejects with what it said when it ends before. */
  static async start({ dataDir, args = [] }: ServerOptions): Promise<ServerProcess> {
    const flags = ['serve', '--json', '--port', '0', '--data-dir', dataDir, ...args];
    // In another directory, so that no helios.yaml lies around.
    const child = spawn(LAUNCHER, flags, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-10_000)));
    const lines = createInterface(child.stdout);
    const ended = once(child, 'exit').then(() => null);
    const first = await Promise.race([once(lines, 'line') as Promise<[string]>, ended]);
    if (first === null) throw new Error(`helios serve ended with ${child.exitCode ?? child.signalCode}: ${said.trim()}`);
    // Further lines are read, so that the pipe never fills, and forgotten.
    return new ServerProcess(JSON.parse(first[0]) as ReadyLine, child, () => said);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** What it has written to standard error, the newest 10,000 characters. */
  get errorOutput(): string {
    return this.#said();
  }

  /** Ends it in an orderly way; its exit code, or null when a signal ended it. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    await this.#exit;
    return this.child.exitCode;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
