import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { CONFIG_KEYS } from './keys.ts';
import { printConfig } from './print.ts';
import { loadConfig } from './sources.ts';

test('the printed configuration reads back as the same configuration', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'helios-print-'));
  try {
    const set = ['log.retention_age=90m', 'log.retention_size=1GB', 'anomaly_detection.threshold=-0.6', 'report.directory=a: b'];
    const first = loadConfig({ cwd, env: {}, set, flags: { host: '::1' } });
    writeFileSync(join(cwd, 'helios.yaml'), printConfig(first));
    assert.deepEqual(loadConfig({ cwd, env: {} }).config, first.config);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});

test('durations and sizes are spelled as in the file, with where each value came from', () => {
  const text = printConfig(loadConfig({ cwd: tmpdir(), env: { HELIOS_LOG_SEGMENT_SIZE: '1048576' }, flags: { port: 0 } }));
  assert.match(text, /^port: 0 # --port$/m);
  assert.match(text, /^ {2}segment_size: 1MiB # HELIOS_LOG_SEGMENT_SIZE$/m);
  assert.match(text, /^ {2}window_size: 5m # default$/m);
  assert.match(text, /^# tls_key_file: not set$/m);
});

test('secrets are printed as stars', () => {
  const sha256 = 'b'.repeat(64);
  const text = printConfig(loadConfig({ cwd: tmpdir(), env: {}, set: [`keys=[{id: a, sha256: ${sha256}, roles: [read]}]`] }));
  assert.match(text, /^keys: \[\{id: a, sha256: "\*\*\*", roles: \[read\]\}\] # --set keys$/m);
  assert.ok(!text.includes(sha256));
});

test('every key has a description, a type and a variable of its own', () => {
  for (const key of CONFIG_KEYS) assert.notEqual(key.description, '', `${key.key} lacks a description`);
  const variables = CONFIG_KEYS.flatMap((key) => key.environment ?? []);
  assert.equal(new Set(variables).size, variables.length);
});
