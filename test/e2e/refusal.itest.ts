import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryDirectory } from '../../bench/server-process.ts';

const launcher = join(import.meta.dirname, '../../bin/helios');

function serve(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(launcher, ['serve', '--json', '--port', '0', ...args], { cwd: tmpdir(), encoding: 'utf8', timeout: 30_000 });
}

test('a configuration that is wrong in any way is refused with one sentence, before anything is made', () => {
  using directory = temporaryDirectory();
  const dataDir = join(directory.path, 'data');
  const wrong: [args: string[], says: RegExp][] = [
    [['--set', 'ingest.max_bdy=1MiB'], /ingest\.max_bdy.*max_body/],
    [['--set', 'log.segment_age=soon'], /log\.segment_age.*soon/],
    [['--set', 'anomaly_detection.contamination=0.9'], /anomaly_detection\.contamination/],
    [['--clock', 'sundial'], /clock/],
    [['--target', 'ingest'], /target/],
  ];
  for (const [args, says] of wrong) {
    const { status, stdout, stderr } = serve('--data-dir', dataDir, ...args);
    assert.equal(status, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^helios: cannot [^\n]+\n$/);
    assert.match(stderr, says);
  }
  assert.deepEqual(readdirSync(directory.path), []);
});

test('a data directory that cannot be made is refused with one sentence that names it', () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'file'), '');
  const dataDir = join(directory.path, 'file', 'data');
  const { status, stderr } = serve('--data-dir', dataDir);
  assert.equal(status, 1);
  assert.match(stderr, /^helios: cannot [^\n]+\n$/);
  assert.ok(stderr.includes(dataDir), stderr);
});
