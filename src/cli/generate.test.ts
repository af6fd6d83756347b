import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ManualClock } from '../lib/clock.ts';
import type { GenerateFlags } from './generate.ts';
import { faultsOption, generate, generatorOf } from './generate.ts';

const NOW_MS = Date.parse('2025-10-08T10:31:00Z');
const FLAGS: GenerateFlags = { seed: 5, duration: 600_000, rate: 10, services: 6, faults: ['silence'], json: true };
const context = () => ({ clock: new ManualClock(NOW_MS), stderr: new PassThrough() });

test('a stream goes to a file, plain or gzip, with its truth beside it', async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-generate-'));
  try {
    const plain = path.join(dir, 'a.ndjson');
    const summary = await generate({ ...FLAGS, out: plain }, context());
    await generate({ ...FLAGS, out: path.join(dir, 'b.ndjson.gz') }, context());
    const lines = fs.readFileSync(plain, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, summary.events);
    assert.ok(lines.every((line) => Date.parse(JSON.parse(line).timestamp) < NOW_MS));
    assert.equal(gunzipSync(fs.readFileSync(path.join(dir, 'b.ndjson.gz'))).toString(), fs.readFileSync(plain, 'utf8'));
    const labels = JSON.parse(fs.readFileSync(`${plain}.labels.json`, 'utf8'));
    assert.deepEqual(
      labels.filter(({ benign }: { benign: boolean }) => !benign).map(({ kind }: { kind: string }) => kind),
      ['silence'],
    );
    assert.deepEqual(JSON.parse(fs.readFileSync(path.join(dir, 'b.ndjson.labels.json'), 'utf8')), labels);
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});

test('history comes before the start and has no faults', () => {
  const start = Date.parse('2025-10-01T00:00:00Z');
  const generator = generatorOf({ ...FLAGS, start, history: 3_600_000, faults: 2 }, NOW_MS);
  assert.equal(generator.startMs, start - 3_600_000);
  assert.equal(generator.endMs, start + 600_000);
  const faults = generator.labels.filter(({ benign }) => !benign);
  assert.equal(faults.length, 2);
  assert.ok(faults.every((fault) => Date.parse(fault.start) > start));
});

test("the plan's set is seven days whatever the duration, and goes with no other faults", () => {
  const { faults: _faults, ...flags } = { ...FLAGS, planSet: true as const };
  const generator = generatorOf(flags, NOW_MS);
  assert.equal(generator.endMs - generator.startMs, 7 * 24 * 3_600_000);
  assert.equal(generator.endMs, Date.parse('2025-10-08T10:00:00Z'));
  assert.throws(() => generatorOf({ ...flags, faults: 3 }, NOW_MS), /cannot generate: --plan-set/);
});

test('without a start a stream ends with the last full hour, a live one begins now', () => {
  assert.equal(generatorOf(FLAGS, NOW_MS).endMs, Date.parse('2025-10-08T10:00:00Z'));
  assert.equal(generatorOf({ ...FLAGS, live: true }, NOW_MS).startMs, NOW_MS);
});

test('faults are a number or kinds, and a wrong kind names the nearest', () => {
  assert.equal(faultsOption('3'), 3);
  assert.deepEqual(faultsOption('silence, bad_config'), ['silence', 'bad_config']);
  assert.throws(() => faultsOption('silense'), /"silense" is not a fault; did you mean "silence"\?/);
});

test('a stream needs somewhere to go', async () => {
  await assert.rejects(generate(FLAGS, context()), /cannot generate: --out or --url is missing/);
  await assert.rejects(generate({ ...FLAGS, live: true, out: 'x' }, context()), /cannot generate: --live posts to --url/);
  await assert.rejects(generate({ ...FLAGS, out: '/nonexistent/x' }, context()), /cannot write \/nonexistent\/x/);
});
