import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../config/config.ts';
import type { ConfigInput } from '../config/config.ts';
import { welcome } from './welcome.ts';

const URLS = { url: 'http://127.0.0.1:9000', otlpUrl: null, grpcUrl: null };
const ENGINES: ConfigInput = { kafka: { brokers: ['kafka-1:9092', 'kafka-2:9092'] }, database: { host: 'db' } };

const told = (config: ConfigInput): string => welcome(URLS, configSchema.parse(config));

test('an embedded process says where its data is, and what it can be asked', () => {
  const text = told({ data_dir: './here' });
  assert.match(text, /^HELIOS listens on http:\/\/127\.0\.0\.1:9000, data in \.\/here\. Next:\n/);
  assert.match(
    text,
    /\/api\/v1\/events -d .*\n {2}bin\/helios replay .*\n {2}bin\/helios incidents --url http:\/\/127\.0\.0\.1:9000$/,
  );
});

test('over Kafka it says which roles it plays on what, and names only what these answer', () => {
  const text = told({ ...ENGINES, target: ['store', 'console'] });
  assert.match(text, /, store, console over Kafka at kafka-1:9092,kafka-2:9092 and the database db:5432\/helios\. Next:\n/);
  assert.match(text, /helios incidents/);
  assert.doesNotMatch(text, /events|data in/);
  assert.match(told(ENGINES), /, all roles over Kafka at /);
  assert.match(told({ ...ENGINES, target: ['detect'] }), /Next:\n {2}curl http:\/\/127\.0\.0\.1:9000\/readyz$/);
});

test('the password of a database URL is not printed', () => {
  const text = told({ ...ENGINES, database: { url: 'postgres://helios:secret@db.internal:5433/fleet?sslmode=require' } });
  assert.match(text, /the database db\.internal:5433\/fleet\./);
  assert.doesNotMatch(text, /secret/);
});
