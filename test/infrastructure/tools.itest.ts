import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { composeCommand, hadolint, promtool } from './infrastructure-tools.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const prometheus = join(root, 'infrastructure/prometheus');

test('Compose takes docker-compose.yml as it is', async (context) => {
  const compose = await composeCommand(context);
  if (compose === null) return;
  const [command, ...words] = compose;
  const { stdout } = await run(command, [...words, '-f', 'docker-compose.yml', 'config'], { cwd: root });
  for (const name of ['ingestion', 'storage', 'detection', 'reporting', 'console', 'timescaledb', 'kafka-ui'])
    assert.match(stdout, new RegExp(`^ {2}${name}:$`, 'm'));
  const { stdout: names } = await run(command, [...words, '-f', 'docker-compose.yml', 'config', '--services'], { cwd: root });
  assert.equal(names.trim().split('\n').length, 12);
});

test('the Dockerfile passes its linter', async (context) => {
  const linter = await hadolint(context);
  if (linter === null) return;
  const { stdout } = await run(linter, ['Dockerfile'], { cwd: root });
  assert.equal(stdout, '');
});

test('Prometheus takes its configuration and rules, and the alerts pass their unit tests', async (context) => {
  const tool = await promtool(context);
  if (tool === null) return;
  await run(tool, ['check', 'config', 'prometheus.yml'], { cwd: prometheus });
  const { stdout } = await run(tool, ['test', 'rules', 'helios.rules.test.yml'], { cwd: prometheus });
  assert.match(stdout, /SUCCESS/);
});
