import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServerProcess } from '../../bench/server-process.ts';
import { freePort } from './server-script.ts';

export type StackRole = 'ingest' | 'store' | 'detect' | 'report' | 'console';
const STACK_ROLES: readonly StackRole[] = ['ingest', 'store', 'detect', 'report', 'console'];

export interface StackOptions {
  kafka: string;
  postgres: string;
  /** Further arguments of every process. */
  args?: readonly string[];
  /** Processes of each role; one by default. */
  replicas?: Partial<Record<StackRole, number>> | undefined;
}

/** One process a role, over a broker and a database; each keeps its port when it is started again. */
export class HeliosStack implements AsyncDisposable {
  readonly #options: StackOptions;
  readonly #processes = new Map<string, ServerProcess>();
  readonly #ports = new Map<string, number>();
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'helios-stack-'));

  private constructor(options: StackOptions) {
    this.#options = options;
  }

  static async start(options: StackOptions): Promise<HeliosStack> {
    const stack = new HeliosStack(options);
    try {
      // The first brings topics and schema up to date, the others find them so.
      for (const name of stack.names()) await stack.start(name);
      return stack;
    } catch (error) {
      await stack[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Names of processes: `ingest-0`, `store-0`, … */
  names(): string[] {
    const { replicas = {} } = this.#options;
    return STACK_ROLES.flatMap((role) => Array.from({ length: replicas[role] ?? 1 }, (_, i) => `${role}-${i}`));
  }

  of(name: string): ServerProcess {
    const found = this.#processes.get(name);
    if (!found) throw new Error(`${name} does not run`);
    return found;
  }

  isRunning(name: string): boolean {
    return this.#processes.has(name);
  }

  /** Where a process listens, also while it is down. */
  url(name: string): string {
    return `http://127.0.0.1:${this.#ports.get(name)}`;
  }

  async start(name: string): Promise<void> {
    const port = this.#ports.get(name) ?? (await freePort());
    this.#ports.set(name, port);
    const { kafka, postgres, args = [] } = this.#options;
    const role = name.split('-')[0] as string;
    const settings = {
      'kafka.brokers': kafka,
      'kafka.replication': 1,
      'database.url': postgres,
      otlp_http_port: 'off',
      grpc_port: 'off',
    };
    const flags = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const dataDir = path.join(this.#directory, name);
    const process = await ServerProcess.start({
      dataDir,
      args: ['--target', role, '--port', String(port), ...flags, ...args],
    });
    this.#processes.set(name, process);
  }

  /** kill -9 */
  async kill(name: string): Promise<void> {
    await this.of(name).kill();
    this.#processes.delete(name);
  }

  /** SIGTERM; the exit code. */
  async stop(name: string): Promise<number | null> {
    const code = await this.of(name).stop();
    this.#processes.delete(name);
    return code;
  }

  /** What every process wrote to standard error, for a test that fails. */
  said(): string {
    return [...this.#processes].map(([name, { errorOutput }]) => `${name}:\n${errorOutput}`).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.kill()));
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
