import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { DEFAULT_URL, loadClientConfig } from './client.ts';

test('the address and key of a client come from flags, else the environment, else the default', () => {
  const env = { HELIOS_URL: 'https://helios.example:8443/', HELIOS_KEY: 'k1' };
  assert.deepEqual(loadClientConfig({}, {}), { url: DEFAULT_URL, key: '' });
  assert.deepEqual(loadClientConfig({}, env), { url: 'https://helios.example:8443', key: 'k1' });
  assert.deepEqual(loadClientConfig({ url: 'http://localhost:1', key: 'k2' }, env), { url: 'http://localhost:1', key: 'k2' });
});

test('the key is read from the file that HELIOS_KEY_FILE names', () => {
  const directory = mkdtempSync(join(tmpdir(), 'helios-client-'));
  try {
    writeFileSync(join(directory, 'key'), 'from-file\n');
    assert.equal(loadClientConfig({}, { HELIOS_KEY_FILE: join(directory, 'key') }).key, 'from-file');
    assert.throws(() => loadClientConfig({}, { HELIOS_KEY_FILE: join(directory, 'none') }), /cannot read the key file/);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('an address that is no http address is refused', () => {
  for (const url of ['localhost:8080', 'ftp://x', 'nonsense']) {
    assert.throws(() => loadClientConfig({ url }, {}), { code: 'invalid_config' });
  }
});
