import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
import { loadConfig, type ConfigRequest } from './sources.ts';

/** Runs `check` in a directory of its own that holds the given files. */
function inDirectory(files: Record<string, string>, check: (cwd: string) => void): void {
  const cwd = mkdtempSync(join(tmpdir(), 'helios-config-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
    check(cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function problemsOf(request: ConfigRequest): string[] {
  try {
    loadConfig({ cwd: tmpdir(), env: {}, ...request });
  } catch (error) {
    assert.ok(error instanceof HeliosError);
    assert.equal(error.code, 'invalid_config');
    return (error.details['problems'] as string[] | undefined) ?? [error.message];
  }
  return [];
}

test('without any source every key has its default', () => {
  inDirectory({}, (cwd) => {
    const { config, warnings, origins } = loadConfig({ cwd, env: {} });
    assert.equal(config.port, 8080);
    assert.equal(config.log.segment_size, 64 * 2 ** 20);
    assert.equal(config.anomaly_detection.threshold, 'auto');
    assert.deepEqual(warnings, []);
    assert.equal(origins.size, 0);
  });
});

test('flags win over the environment, the environment over the file, the file over defaults', () => {
  inDirectory({ 'helios.yaml': 'port: 1\nhost: 127.0.0.2\nlog:\n  segment_size: 1MiB\n  seal_level: 7\n' }, (cwd) => {
    const env = { HELIOS_PORT: '2', HELIOS_LOG_SEGMENT_SIZE: '2MiB', HELIOS_CLOCK: 'events' };
    const { config, origins } = loadConfig({
      cwd,
      env,
      flags: { port: '3', data_dir: undefined },
      set: ['log.max_pending=5MiB'],
    });
    assert.equal(config.port, 3);
    assert.equal(config.log.segment_size, 2 * 2 ** 20);
    assert.equal(config.host, '127.0.0.2');
    assert.equal(config.log.seal_level, 7);
    assert.equal(config.clock, 'events');
    assert.equal(config.log.max_pending, 5 * 2 ** 20);
    assert.equal(origins.get('port'), '--port');
    assert.equal(origins.get('log.segment_size'), 'HELIOS_LOG_SEGMENT_SIZE');
    assert.equal(origins.get('log.seal_level'), 'helios.yaml:5:3');
    assert.equal(origins.get('log.max_pending'), '--set log.max_pending');
    assert.equal(origins.get('data_dir'), undefined);
  });
});

test('the names of the project plan are honoured in the file', () => {
  const plan = `anomaly_detection:
  model: isolation_forest
  contamination: 0.05
  threshold: -0.7
  window_size: 5m
  features: [event_count, error_rate, avg_latency, p95_latency, p99_latency]
`;
  inDirectory({ 'helios.yaml': plan }, (cwd) => {
    const { anomaly_detection: detection } = loadConfig({ cwd, env: {} }).config;
    assert.equal(detection.threshold, -0.7);
    assert.equal(detection.window_size, 300_000);
    assert.equal(detection.features.length, 5);
  });
});

test('an unknown key in the file is named with file, line, column and the nearest known key', () => {
  inDirectory({ 'other.yaml': 'port: 80\nlog:\n  segmnt_size: 1MiB\n  segment_age: 5\n' }, (cwd) => {
    assert.deepEqual(problemsOf({ cwd, file: 'other.yaml' }), [
      'other.yaml:3:3: unknown key log.segmnt_size; did you mean log.segment_size?',
    ]);
  });
});

test('a key that stands in the wrong section is pointed to its place', () => {
  assert.deepEqual(problemsOf({ set: ['segment_age=3m'] }), [
    '--set segment_age: unknown key segment_age; did you mean log.segment_age?',
  ]);
  assert.deepEqual(problemsOf({ set: ['__proto__.polluted=1'] }), ['--set __proto__.polluted: unknown key __proto__']);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('everything that is wrong is told at once, each with its origin', () => {
  const env = { HELIOS_ANOMALY_DETECTION_CONTAMINATION: '2', HELIOS_STORE_RETENTION: '5y', HELIOS_INSECURE: 'maybe' };
  const problems = problemsOf({ env, flags: { port: 'http', clock: 'sundial' }, set: ['novalue'] });
  assert.deepEqual(problems.toSorted(), [
    '--clock: clock must be wall or events, not "sundial"',
    '--port: port must be a whole number from 0 to 65535, not "http"',
    '--set novalue: expected key=value, such as log.segment_size=64MiB',
    'HELIOS_ANOMALY_DETECTION_CONTAMINATION: anomaly_detection.contamination must be a number above 0 up to 0.5, not 2',
    'HELIOS_INSECURE: insecure must be true or false, not "maybe"',
    'HELIOS_STORE_RETENTION: store.retention: "5y" is not a duration such as 30s, 5m or 7d',
  ]);
});

test('a named file that is missing is an error, a default one is not', () => {
  inDirectory({}, (cwd) => {
    assert.deepEqual(problemsOf({ cwd }), []);
    assert.deepEqual(problemsOf({ cwd, file: 'none.yaml' }), [
      'cannot read the configuration file none.yaml: there is no such file',
    ]);
    assert.deepEqual(problemsOf({ cwd, file: '.' }), ['cannot read the configuration file .: it is a directory']);
  });
});

test('a file that is not YAML, or not a mapping, is refused with its position', () => {
  inDirectory({ 'a.yaml': 'port: [1\n', 'b.yaml': '- port\n', 'c.yaml': 'port: 1\nport: 2\n', 'd.yaml': '' }, (cwd) => {
    assert.match(problemsOf({ cwd, file: 'a.yaml' })[0] ?? '', /^a\.yaml:2:1: Flow sequence/);
    assert.deepEqual(problemsOf({ cwd, file: 'b.yaml' }), ['b.yaml:1:1: expected "key: value" lines']);
    assert.match(problemsOf({ cwd, file: 'c.yaml' })[0] ?? '', /^c\.yaml:2:1: Map keys must be unique/);
    assert.deepEqual(problemsOf({ cwd, file: 'd.yaml' }), []);
  });
});

test('an alias without its anchor, or a bomb of aliases, is refused', () => {
  const bomb = `a: &a [x]\n${Array.from({ length: 9 }, (_, i) => `k${i}: &k${i} [${'*a,'.repeat(20)}]\n`).join('')}`;
  inDirectory({ 'a.yaml': 'port: *nowhere\n', 'b.yaml': bomb }, (cwd) => {
    assert.match(problemsOf({ cwd, file: 'a.yaml' })[0] ?? '', /a\.yaml: Unresolved alias/);
    assert.match(problemsOf({ cwd, file: 'b.yaml' })[0] ?? '', /b\.yaml: Excessive alias/);
  });
});

test('a section whose keys are all commented out says nothing', () => {
  inDirectory({ 'helios.yaml': 'log:\n  # segment_size: 1MiB\nport:\n' }, (cwd) => {
    const { config } = loadConfig({ cwd, env: { HELIOS_HOST: '' } });
    assert.equal(config.log.segment_size, 64 * 2 ** 20);
    assert.equal(config.port, 8080);
    assert.equal(config.host, '127.0.0.1');
  });
});

test('an unknown HELIOS_ variable is a warning, those of the tests, of clients and of later versions are not', () => {
  const env = {
    HELIOS_PROT: '1',
    HELIOS_TEST_DATA: '/x',
    HELIOS_URL: 'http://x',
    OPENAI_API_KEY: 'x',
    HELIOS_QQQQQQQQQQQQ_HOST: '1',
  };
  const { warnings } = loadConfig({ cwd: tmpdir(), env });
  assert.deepEqual(warnings, [
    'unknown environment variable HELIOS_PROT is ignored; did you mean HELIOS_PORT?',
    'unknown environment variable HELIOS_QQQQQQQQQQQQ_HOST is ignored',
  ]);
});

test('lists come from commas or YAML, and API keys also from a file that a variable names', () => {
  const sha256 = 'a'.repeat(64);
  inDirectory({ keys: `- {id: one, sha256: ${sha256}, roles: [ingest], services: [web-*]}\n` }, (cwd) => {
    const env = {
      HELIOS_TARGET: 'all',
      HELIOS_ANOMALY_DETECTION_FEATURES: 'event_count, error_rate',
      HELIOS_KEYS_FILE: join(cwd, 'keys'),
    };
    const { config } = loadConfig({ cwd, env });
    assert.deepEqual(config.target, ['all']);
    assert.deepEqual(config.anomaly_detection.features, ['event_count', 'error_rate']);
    assert.deepEqual(config.keys, [{ id: 'one', sha256, roles: ['ingest'], services: ['web-*'] }]);
    assert.match(
      problemsOf({ cwd, env: { HELIOS_KEYS_FILE: join(cwd, 'none') } })[0] ?? '',
      /^HELIOS_KEYS_FILE: cannot read the file/,
    );
  });
});

test('a wrong API key is located by its place in the list and its secret is not shown', () => {
  const problems = problemsOf({ set: [`keys=[{id: a, sha256: hunter2, roles: [owner], rolls: 1}]`] });
  assert.equal(problems.length, 3);
  assert.ok(problems.includes('--set keys: unknown key keys.0.rolls; did you mean keys.0.roles?'));
  assert.ok(problems.includes('--set keys: keys.0.sha256: must be 64 hex digits'));
  assert.ok(!problems.join('\n').includes('hunter2'));
});

test('with the clock of the events nothing expires unless a retention was asked for', () => {
  const load = (set: string[]) => loadConfig({ env: {}, cwd: tmpdir(), set }).config;
  assert.equal(load(['clock=events']).log.retention_age, Infinity);
  assert.equal(load(['clock=events']).store.retention, Infinity);
  assert.equal(load(['clock=events']).database.event_retention, Infinity);
  assert.equal(load(['clock=events', 'log.retention_age=1d']).log.retention_age, 86_400_000);
  assert.ok(Number.isFinite(load([]).log.retention_age));
});

test('a window that is no whole number of sub-windows is refused by name', () => {
  for (const size of ['15s', '0s', '2h']) {
    const problems = problemsOf({ env: {}, cwd: tmpdir(), set: [`anomaly_detection.window_size=${size}`] });
    assert.match(problems[0] ?? '', /anomaly_detection.window_size: must be a multiple of 10s/);
  }
});
