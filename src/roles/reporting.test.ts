import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { loadConfig } from '../config/sources.ts';
import { ManualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { createPrng } from '../lib/prng.ts';
import { MemoryStore } from '../report/store.fixture.ts';
import { openReporting } from './reporting.ts';

/** What the log warns of when reporting starts. */
async function warnings(...set: string[]): Promise<unknown[]> {
  const said: unknown[] = [];
  await using scope = new AsyncDisposableStack();
  const { config } = loadConfig({ cwd: tmpdir(), env: {}, set: ['report.archive.folder=false', ...set] });
  const logger = { ...silentLogger, warn: (message: string, fields?: object) => void said.push({ message, ...fields }) };
  const clock = new ManualClock();
  const common = { store: new MemoryStore(), clock, prng: createPrng(1), logger, metrics: silentMetrics };
  const reporting = openReporting({ ...common, config, now: () => 0, owner: 'test', directory: null }, scope);
  assert.equal(
    reporting.startNarration(() => Promise.resolve()),
    null,
  );
  return said;
}

test('a model that is configured and cannot be asked is said at the start', async () => {
  const message = 'no language model is asked';
  assert.deepEqual(await warnings('report.llm.provider=openai'), [{ message, reason: 'openai needs report.llm.openai_api_key' }]);
  assert.deepEqual(await warnings('report.llm.provider=openai-compatible', 'report.llm.model=small'), [
    { message, reason: 'openai-compatible needs report.llm.base_url' },
  ]);
  assert.deepEqual(await warnings('report.llm.base_url=http://localhost:11434/v1'), [
    { message, reason: 'openai-compatible needs report.llm.model' },
  ]);
});

test('nothing is said of a model that nobody asked for', async () => {
  assert.deepEqual(await warnings(), []);
  assert.deepEqual(await warnings('report.llm.provider=none', 'report.llm.model=small'), []);
});
