// Runs the integration tests with real servers: those that the environment names (HELIOS_TEST_KAFKA, HELIOS_TEST_POSTGRES), else ones
// started by the scripts `kafka` and `postgres` of the folder HELIOS_TEST_SERVERS, and stopped afterwards. Without either, the tests that
// need one are skipped, visibly. Arguments: files; by default the whole tier.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const TIER = ['src/**/*.itest.ts', 'test/e2e/*.itest.ts', 'test/sim/*.itest.ts', 'test/infrastructure/*.itest.ts'];
/** The scripts' own ports lie this far above the first. */
const PORTS_OF_A_BROKER = 50;

interface Server {
  variable: string;
  start: (directory: string) => Promise<string[]>;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port that is free together with those that a broker takes above it. */
async function freeBrokerPort(): Promise<number> {
  for (let port = 21_000 + (process.pid % 200) * PORTS_OF_A_BROKER; port < 60_000; port += PORTS_OF_A_BROKER) {
    if ((await isFree(port)) && (await isFree(port + 10))) return port;
  }
  throw new Error('no free port for a broker');
}

const SERVERS: Record<string, Server> = {
  kafka: {
    variable: 'HELIOS_TEST_KAFKA',
    start: async (directory) => ['start', '--port', String(await freeBrokerPort()), '--dir', directory],
  },
  postgres: { variable: 'HELIOS_TEST_POSTGRES', start: async (directory) => ['start', '--dir', directory] },
};

/** Starts a server; resolves to its address, and how to stop it. */
async function startServer(script: string, directory: string, server: Server): Promise<{ address: string; stop: () => void }> {
  const started = spawnSync(script, await server.start(directory), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const address = started.stdout.trim().split('\n').at(-1) ?? '';
  const stop = (): void => {
    spawnSync(script, script.endsWith('kafka') ? ['stop', '--dir', directory, '--wipe'] : ['stop', '--dir', directory]);
  };
  if (started.status === 0 && address !== '') return { address, stop };
  stop();
  throw new Error(`${script} start failed`);
}

function run(files: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, ['--test', '--test-timeout=600000', ...files], { env: environment, stdio: 'inherit' });
  const onSignal = (): void => void child.kill('SIGINT');
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

const folder = process.env['HELIOS_TEST_SERVERS'] ?? path.resolve(import.meta.dirname, '../../shared/servers');
const environment: NodeJS.ProcessEnv = { ...process.env };
const scratch = mkdtempSync(path.join(os.tmpdir(), 'helios-servers-'));
// The database server may run as another user.
chmodSync(scratch, 0o755);
const stops: (() => void)[] = [];
let code = 1;
try {
  for (const [name, server] of Object.entries(SERVERS)) {
    const script = path.join(folder, name);
    if (environment[server.variable] !== undefined || !existsSync(script)) continue;
    environment['HELIOS_TEST_SERVERS'] = folder;
    const { address, stop } = await startServer(script, path.join(scratch, name), server);
    stops.push(stop);
    environment[server.variable] = address;
  }
  const files = process.argv.slice(2);
  code = await run(files.length > 0 ? files : TIER, environment);
} finally {
  for (const stop of stops) stop();
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = code;
