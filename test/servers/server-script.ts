import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A broker's script takes these above its first port. */
const BROKER_PORTS = [0, 10, 20, 30, 40].flatMap((first) => [first, first + 1, first + 2]);

/** Where a broker's further listeners are, above its port. */
const LISTENERS = { sasl: 20, tls: 30, both: 40 };

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function freeBrokerPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port > 65_000) continue;
    const free = await Promise.all(BROKER_PORTS.map((above) => isFree(port + above)));
    if (free.every(Boolean)) return port;
  }
}

/** A server of the test's own, run by a script of the folder that HELIOS_TEST_SERVERS names. */
class ScriptServer implements AsyncDisposable {
  protected readonly script: string;
  protected readonly directory: string;
  address = '';

  constructor(folder: string, name: string) {
    this.script = path.join(folder, name);
    const scratch = mkdtempSync(path.join(tmpdir(), `helios-${name}-`));
    // The database server may run as another user.
    chmodSync(scratch, 0o755);
    this.directory = path.join(scratch, 'server');
  }

  protected async call(...args: string[]): Promise<string> {
    const { stdout } = await run(this.script, [...args, '--dir', this.directory], { maxBuffer: 1 << 20 });
    return stdout.trim().split('\n').at(-1) ?? '';
  }

  /** A start that fails half-way leaves nothing behind. */
  protected async begin(...args: string[]): Promise<void> {
    try {
      this.address = await this.call('start', ...args);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  protected removeScratch(): void {
    rmSync(path.dirname(this.directory), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.call('stop').catch(() => '');
    this.removeScratch();
  }
}

/** One broker, or a cluster of three. */
export class KafkaServer extends ScriptServer {
  /** With `isSecured`, it listens with SASL, with TLS, and with both as well. */
  static async start(folder: string, brokers: 1 | 3 = 1, { isSecured = false } = {}): Promise<KafkaServer> {
    const server = new KafkaServer(folder, 'kafka');
    const security = isSecured ? ['--sasl', '--tls'] : [];
    const port = String(await freeBrokerPort());
    await server.begin('--port', port, '--brokers', String(brokers), ...security);
    return server;
  }

  /** The first broker's address where it wants SASL, TLS, or both. */
  securedAddress(listener: keyof typeof LISTENERS): string {
    const [host, port] = (this.address.split(',')[0] as string).split(':') as [string, string];
    return `${host}:${Number(port) + LISTENERS[listener]}`;
  }

  /** Certificates to trust. */
  get caFile(): string {
    return path.join(this.directory, 'tls', 'ca.pem');
  }

  /** kill -9 of one broker, numbered from 1, or of all. */
  async kill(broker?: number): Promise<void> {
    await this.call('stop', '--kill', ...(broker === undefined ? [] : ['--broker', String(broker)]));
  }

  /** Stops all brokers in their tracks, or lets them go on: what a network is like that carries nothing. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    for (const broker of readdirSync(this.directory)) {
      const file = path.join(this.directory, broker, 'pid');
      if (existsSync(file)) process.kill(Number(readFileSync(file, 'utf8')), name);
    }
  }

  async restart(broker?: number): Promise<void> {
    await this.call('start', ...(broker === undefined ? [] : ['--broker', String(broker)]));
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.call('stop', '--kill', '--wipe').catch(() => '');
    this.removeScratch();
  }
}

export class PostgresServer extends ScriptServer {
  static async start(folder: string): Promise<PostgresServer> {
    const server = new PostgresServer(folder, 'postgres');
    await server.begin();
    return server;
  }

  /** kill -9 of the whole server. */
  async kill(): Promise<void> {
    await this.call('crash');
  }

  async restart(): Promise<void> {
    await this.call('up');
  }
}

/** A service that speaks the protocol of S3 and takes any credentials; one at a time on a machine, as its script has it. */
export class S3Server implements AsyncDisposable {
  readonly #script: string;
  readonly address: string;

  private constructor(script: string, address: string) {
    this.#script = script;
    this.address = address;
  }

  static async start(folder: string): Promise<S3Server> {
    const script = path.join(folder, 's3');
    const { stdout } = await run(script, ['start', '--port', String(await freePort())], { maxBuffer: 1 << 20 });
    return new S3Server(script, stdout.trim().split('\n').at(-1) ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run(this.#script, ['stop']).catch(() => undefined);
  }
}
