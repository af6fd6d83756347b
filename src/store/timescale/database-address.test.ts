import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import type { DatabaseConfig } from './config.ts';
import { databaseConfigSchema } from './config.ts';
import { databaseAddress } from './database-address.ts';

const configOf = (keys: Record<string, unknown>): DatabaseConfig => databaseConfigSchema.parse(keys);
const refuses = (field: string, pattern: RegExp) => (error: unknown) =>
  error instanceof HeliosError && error.code === 'invalid_config' && error.details.field === field && pattern.test(error.message);

test('single keys make an address', () => {
  assert.deepEqual(databaseAddress(configOf({ host: 'db', password: 'p' })), {
    host: 'db',
    port: 5432,
    database: 'helios',
    user: 'helios',
    password: 'p',
    ssl: false,
  });
});

test('a URL goes before the keys, which fill what it leaves out', () => {
  const url = 'postgresql://an%40user:p%2Fw@[::1]:6000/a%20name?sslmode=require';
  assert.deepEqual(databaseAddress(configOf({ url, host: 'other', password: 'unused' })), {
    host: '::1',
    port: 6000,
    database: 'a name',
    user: 'an@user',
    password: 'p/w',
    ssl: { rejectUnauthorized: false },
  });
  const short = databaseAddress(configOf({ url: 'postgres://db', port: 6001, user: 'u', password: 'p', tls: 'verify' }));
  assert.deepEqual(short, {
    host: 'db',
    port: 6001,
    database: 'helios',
    user: 'u',
    password: 'p',
    ssl: { rejectUnauthorized: true, servername: 'db' },
  });
});

test('certificates to trust are read from their file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'helios-ca-'));
  try {
    const file = join(dir, 'ca.pem');
    writeFileSync(file, 'certificates');
    const { ssl } = databaseAddress(configOf({ host: '10.0.0.1', tls: 'verify', tls_ca_file: file }));
    assert.deepEqual(ssl, { rejectUnauthorized: true, ca: 'certificates' });
  } finally {
    rmSync(dir, { recursive: true });
  }
  const missing = configOf({ host: 'db', tls: 'verify', tls_ca_file: join(dir, 'ca.pem') });
  assert.throws(() => databaseAddress(missing), refuses('database.tls_ca_file', /no such file/));
});

test('what is no address is refused by its key, and never printed', () => {
  const secret = 'hunter2';
  for (const url of [
    `mysql://u:${secret}@h/n`,
    `u:${secret}@h/n`,
    `postgres://u:${secret}@h/n?sslmode=prefer`,
    `postgres://u:${secret}@h/n?service=x`,
  ]) {
    assert.throws(
      () => databaseAddress(configOf({ url })),
      (error) => refuses('database.url', /./)(error) && !(error as Error).message.includes(secret),
    );
  }
  assert.throws(() => databaseAddress(configOf({})), refuses('database.host', /names no host/));
});
