import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { temporaryDirectory } from '../../../bench/server-process.ts';
import { buildLambda } from '../../../scripts/lambda-bundle.ts';
import type { LambdaBundle } from '../../../scripts/lambda-bundle.ts';
import { kafkaEvent } from '../../report/lambda/kafka-event.fixture.ts';
import { PARTITIONS } from '../../store/timescale/cascade.fixture.ts';
import type { Database } from '../../store/timescale/database.ts';
import { testEngines, openTestDatabase } from '../../store/timescale/test-database.fixture.ts';
import { cascadeEvent } from './cascade-event.fixture.ts';
import { RuntimeApi } from './runtime-api.fixture.ts';

const MAX_ZIP_BYTES = 10 * 1024 * 1024;
const SERVER = testEngines().includes('postgres') ? false : 'needs HELIOS_TEST_POSTGRES';

interface RunningFunction extends AsyncDisposable {
  said: () => string;
}

/** What Lambda gives a function, and what its own environment says (docs/lambda.md). */
function environmentOf({ folder }: LambdaBundle, api: RuntimeApi, url: string): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return {
    PATH,
    AWS_LAMBDA_RUNTIME_API: api.address,
    AWS_LAMBDA_FUNCTION_NAME: 'helios-reporter',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    AWS_REGION: 'eu-central-1',
    LAMBDA_TASK_ROOT: folder,
    HELIOS_DATABASE_URL: url,
    HELIOS_DATABASE_CONNECTIONS: '2',
    HELIOS_KAFKA_PARTITIONS: String(PARTITIONS),
    HELIOS_CLOCK: 'events',
    HELIOS_REPORT_DIRECTORY: path.join(folder, 'reports'),
  };
}

function start(command: readonly string[], cwd: string, env: NodeJS.ProcessEnv): RunningFunction {
  const child = spawn(process.execPath, command, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  return {
    said: () => said,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function incidentsOf(database: Database): Promise<number> {
  const { rows } = await database.query(`SELECT count(*) AS count FROM documents WHERE kind = 'incident' AND is_newest`);
  return Number(rows[0]?.['count']);
}

/** A runtime as small as can be, where the one of AWS is not installed: it asks, calls `handler`, answers. */
const PLAIN_RUNTIME = `
  const [module, api] = process.argv.slice(1);
  const { handler } = await import(module);
  const base = 'http://' + api + '/2018-06-01/runtime/invocation/';
  for (;;) {
    const next = await fetch(base + 'next');
    const id = next.headers.get('lambda-runtime-aws-request-id');
    const deadlineMs = Number(next.headers.get('lambda-runtime-deadline-ms'));
    const context = { getRemainingTimeInMillis: () => deadlineMs - Date.now() };
    const answer = await handler(await next.json(), context).then(
      (body) => ['response', body],
      (error) => ['error', { errorType: error.name, errorMessage: error.message }],
    );
    await fetch(base + id + '/' + answer[0], { method: 'POST', body: JSON.stringify(answer[1]) });
  }`;

type Launch = (bundle: LambdaBundle, api: RuntimeApi) => readonly string[];

/** Loads the bundle in a process of its own and invokes it; says how long it took to be loaded and to answer first. */
async function proveFunction(launch: Launch, say: (text: string) => void): Promise<void> {
  using out = temporaryDirectory();
  const bundle = await buildLambda(out.path);
  await using database = await openTestDatabase('postgres');
  await using api = await RuntimeApi.open();
  const env = environmentOf(bundle, api, database.config.url as string);
  const startMs = performance.now();
  await using running = start(launch(bundle, api), bundle.folder, env);
  const loaded = api.ready.then(() => performance.now() - startMs);
  const first = await api.invoke({ source: 'aws.events' });
  const firstMs = performance.now() - startMs;
  assert.deepEqual(first, { kind: 'response', body: { batchItemFailures: [] } }, running.said());
  say(`loaded after ${Math.round(await loaded)} ms, first answer after ${Math.round(firstMs)} ms`);
  const answer = await api.invoke(cascadeEvent());
  assert.deepEqual(answer, { kind: 'response', body: { batchItemFailures: [] } }, running.said());
  assert.equal(await incidentsOf(database.database), 2);
  const refused = await api.invoke({ Records: [] });
  assert.equal(refused.kind, 'error');
  assert.match(JSON.stringify(refused.body), /cannot take this event/);
  // Without its database the invocation fails, and the next one of the same environment has it again.
  await database.database.query('ALTER TABLE pending_alerts RENAME TO away');
  const failed = await api.invoke(kafkaEvent([['{"type":"watermark","partition":0,"of":"events","watermarkMs":1}\n']]));
  assert.equal(failed.kind, 'error', running.said());
  await database.database.query('ALTER TABLE away RENAME TO pending_alerts');
  assert.deepEqual((await api.invoke(cascadeEvent(2))).body, { batchItemFailures: [] }, running.said());
  assert.equal(await incidentsOf(database.database), 2);
}

test('the bundle holds no client of Kafka, and what it needs besides its module is the schema', async () => {
  using out = temporaryDirectory();
  const { folder, zipBytes, sources } = await buildLambda(out.path);
  assert.ok(zipBytes < MAX_ZIP_BYTES, `${zipBytes} bytes`);
  assert.deepEqual(
    sources.filter((source) => /log\/kafka\/(?!config)|log\/embedded\/|store\/embedded\/|@platformatic|fastify/.test(source)),
    [],
  );
  assert.ok(existsSync(path.join(folder, 'migrations', '000001.sql')));
});

test('the bundled function takes alerts and a schedule over the Runtime API', { skip: SERVER }, async (context) => {
  const launch: Launch = ({ folder }, api) => {
    const module = pathToFileURL(path.join(folder, 'index.mjs')).href;
    return ['--input-type=module', '--eval', PLAIN_RUNTIME, module, api.address];
  };
  await proveFunction(launch, (text) => context.diagnostic(text));
});

const ric = process.env['HELIOS_TEST_LAMBDA_RIC'];
const RIC = ric === undefined ? 'needs HELIOS_TEST_LAMBDA_RIC, a folder in which aws-lambda-ric is installed' : SERVER;

const ricCommand = (): readonly string[] => [
  path.join(ric as string, 'node_modules/aws-lambda-ric/bin/index.mjs'),
  'index.handler',
];

test('the bundled function runs in the runtime interface client of AWS', { skip: RIC }, async (context) => {
  await proveFunction(ricCommand, (text) => context.diagnostic(text));
});

test('a function whose database nobody names does not start, and says so', { skip: RIC }, async () => {
  using out = temporaryDirectory();
  const bundle = await buildLambda(out.path);
  await using api = await RuntimeApi.open();
  const { HELIOS_DATABASE_URL: _, ...env } = environmentOf(bundle, api, '');
  await using running = start(ricCommand(), bundle.folder, env);
  const { kind, body } = await api.invoke({ source: 'aws.events' });
  assert.equal(kind, 'init/error', running.said());
  assert.match(JSON.stringify(body), /no database is configured/);
});
