// Runs the integration tests with real servers: those that the environment names (HELIOS_TEST_KAFKA, HELIOS_TEST_POSTGRES,
// HELIOS_TEST_S3), else ones started by the scripts `kafka`, `postgres` and `s3` of the folder HELIOS_TEST_SERVERS, and stopped afterwards. Without either, the tests that
// need one are skipped, visibly. Arguments: files; by default the whole tier.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { KafkaServer, PostgresServer, S3Server } from '../test/servers/server-script.ts';

const TIER = ['src/**/*.itest.ts', 'test/e2e/*.itest.ts', 'test/sim/*.itest.ts', 'test/infrastructure/*.itest.ts'];

const SERVERS = [
  { script: 'kafka', variable: 'HELIOS_TEST_KAFKA', start: (folder: string) => KafkaServer.start(folder) },
  { script: 'postgres', variable: 'HELIOS_TEST_POSTGRES', start: (folder: string) => PostgresServer.start(folder) },
  { script: 's3', variable: 'HELIOS_TEST_S3', start: (folder: string) => S3Server.start(folder) },
];

function say(text: string): void {
  process.stderr.write(`test-integration: ${text}\n`);
}

function run(files: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, ['--test', '--test-concurrency=3', '--test-timeout=600000', ...files], {
    env: environment,
    stdio: 'inherit',
  });
  const onSignal = (): void => void child.kill('SIGINT');
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

const folder = process.env['HELIOS_TEST_SERVERS'] ?? path.resolve(import.meta.dirname, '../../shared/servers');
const environment: NodeJS.ProcessEnv = { ...process.env };
await using servers = new AsyncDisposableStack();
for (const { script, variable, start } of SERVERS) {
  if (environment[variable] !== undefined) {
    say(`${script} is the one that ${variable} names`);
  } else if (existsSync(path.join(folder, script))) {
    const { address } = servers.use(await start(folder));
    environment['HELIOS_TEST_SERVERS'] = folder;
    environment[variable] = address;
    say(`started ${script} at ${address}`);
  } else {
    say(`there is no ${script}: set ${variable}, or HELIOS_TEST_SERVERS to a folder with a script that starts one`);
  }
}
const files = process.argv.slice(2);
process.exitCode = await run(files.length > 0 ? files : TIER, environment);
