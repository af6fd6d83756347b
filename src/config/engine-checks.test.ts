import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
import type { ConfigRequest, LoadedConfig } from './sources.ts';
import { loadConfig } from './sources.ts';

const PLAN = {
  KAFKA_BROKERS: 'a:9092, b:9092',
  KAFKA_TOPIC_EVENTS: 'e',
  KAFKA_TOPIC_ANOMALIES: 'x',
  DB_HOST: 'db',
  DB_PORT: '6432',
  DB_NAME: 'n',
  DB_USER: 'u',
  DB_PASSWORD: 'secret',
  AWS_REGION: 'eu-west-1',
};
const BOTH = { KAFKA_BROKERS: 'b:9092', DB_HOST: 'db' };

function load(env: Record<string, string>, request: ConfigRequest = {}): LoadedConfig {
  return loadConfig({ cwd: tmpdir(), env, ...request });
}

function problems(env: Record<string, string>, request: ConfigRequest = {}): unknown {
  try {
    load(env, request);
    return [];
  } catch (error) {
    assert.ok(error instanceof HeliosError);
    assert.equal(error.code, 'invalid_config');
    return error.details['problems'];
  }
}

test('the variables of the plan speak for their keys, and origins name them', () => {
  const { config, origins, warnings } = load(PLAN);
  const { brokers, topic_events, topic_anomalies, aws_region } = config.kafka;
  assert.deepEqual(
    { brokers, topic_events, topic_anomalies, aws_region },
    {
      brokers: ['a:9092', 'b:9092'],
      topic_events: 'e',
      topic_anomalies: 'x',
      aws_region: 'eu-west-1',
    },
  );
  const { host, port, name, user, password } = config.database;
  assert.deepEqual({ host, port, name, user, password }, { host: 'db', port: 6432, name: 'n', user: 'u', password: 'secret' });
  assert.deepEqual(new Set(origins.values()), new Set(Object.keys(PLAN)));
  assert.equal(origins.get('database.port'), 'DB_PORT');
  assert.deepEqual(warnings, []);
});

test('HELIOS_ variables win over those of the plan, whichever is set first; empty ones say nothing', () => {
  const env = { HELIOS_DATABASE_HOST: 'mine', ...PLAN, HELIOS_KAFKA_TOPIC_EVENTS: '' };
  const { config, origins } = load(env);
  assert.equal(config.database.host, 'mine');
  assert.equal(origins.get('database.host'), 'HELIOS_DATABASE_HOST');
  assert.equal(config.kafka.topic_events, 'e');
  assert.equal(load(BOTH, { set: ['kafka.brokers=c:1'] }).config.kafka.brokers[0], 'c:1');
});

test('the password is also read from the file that DB_PASSWORD_FILE names', () => {
  const dir = mkdtempSync(join(tmpdir(), 'helios-config-'));
  try {
    const file = join(dir, 'password');
    writeFileSync(file, 'from the file\n');
    const { config, origins } = load({ ...BOTH, DB_PASSWORD_FILE: file });
    assert.equal(config.database.password, 'from the file');
    assert.equal(origins.get('database.password'), 'DB_PASSWORD_FILE');
    assert.equal(load({ ...BOTH, DB_PASSWORD_FILE: file, HELIOS_DATABASE_PASSWORD: 'x' }).config.database.password, 'x');
    assert.match(String(problems({ ...BOTH, DB_PASSWORD_FILE: join(dir, 'none') })), /^DB_PASSWORD_FILE: cannot read the file/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a wrong value is named with its variable', () => {
  assert.deepEqual(problems({ ...BOTH, DB_PORT: 'x' }), [
    'DB_PORT: database.port must be a whole number from 1 to 65535, not "x"',
  ]);
});

test('Kafka and the database go together, and roles need both', () => {
  assert.deepEqual(problems({ KAFKA_BROKERS: 'b:9092' }), [
    'KAFKA_BROKERS: kafka.brokers: with Kafka the store is a database: set database.host or database.url too',
  ]);
  assert.deepEqual(problems({ DB_HOST: 'db' }), [
    'DB_HOST: database.host: with a database the log is Kafka: set kafka.brokers too',
  ]);
  const url = { HELIOS_DATABASE_URL: 'postgres://u:secret@h/n' };
  assert.deepEqual(problems(url), ['HELIOS_DATABASE_URL: database.url: with a database the log is Kafka: set kafka.brokers too']);
  assert.deepEqual(problems({}, { flags: { target: 'ingest,store' } }), [
    '--target: target: embedded storage runs all roles in one process: take all, or set kafka.brokers and database.host',
  ]);
  assert.deepEqual(problems(BOTH, { flags: { target: 'ingest,store' } }), []);
  assert.deepEqual(problems({ ...url, KAFKA_BROKERS: 'b:9092' }), []);
  assert.deepEqual(problems({}), []);
});

test('a command that works on one engine asks for that one only', () => {
  assert.deepEqual(problems({ DB_HOST: 'db' }, { needs: 'database' }), []);
  assert.deepEqual(problems({ KAFKA_BROKERS: 'b:9092' }, { needs: 'kafka' }), []);
  assert.match(
    String(problems({}, { needs: 'database' })),
    /database.host: no database is configured: set database.host or database.url/,
  );
  assert.match(
    String(problems({ DB_HOST: 'db' }, { needs: 'kafka' })),
    /kafka.brokers: Kafka is not configured: set kafka.brokers/,
  );
});

test('what nothing has set is told by its key alone', () => {
  assert.throws(() => load({}, { needs: 'kafka' }), {
    message: 'cannot use the configuration: kafka.brokers: Kafka is not configured: set kafka.brokers',
  });
});

test('authentication that lacks something says what', () => {
  const plain = 'HELIOS_KAFKA_SASL: kafka.sasl: plain needs kafka.username and kafka.password';
  assert.deepEqual(problems({ ...BOTH, HELIOS_KAFKA_SASL: 'plain', HELIOS_KAFKA_USERNAME: 'u' }), [plain]);
  const scram = { ...BOTH, HELIOS_KAFKA_SASL: 'scram-sha-512' };
  assert.match(String(problems(scram)), /scram-sha-512 needs kafka.username and kafka.password/);
  assert.deepEqual(problems({ ...scram, HELIOS_KAFKA_USERNAME: 'u', HELIOS_KAFKA_PASSWORD: 'p' }), []);
  const iam = { ...BOTH, HELIOS_KAFKA_SASL: 'aws-msk-iam' };
  assert.match(String(problems(iam)), /aws-msk-iam needs kafka.aws_region, and kafka.tls to be true/);
  assert.match(String(problems({ ...iam, AWS_REGION: 'eu-west-1' })), /kafka.tls to be true/);
  assert.deepEqual(problems({ ...iam, AWS_REGION: 'eu-west-1', HELIOS_KAFKA_TLS: 'true' }), []);
});
