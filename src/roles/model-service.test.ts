import assert from 'node:assert/strict';
import test from 'node:test';
import { detectConfigSchema } from '../detect/config.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import { isoTime, systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import type { Incident } from '../model/incident.ts';
import type { StoredModel } from '../model/model-record.ts';
import { FEATURE_UNITS, FEATURES, type Feature } from '../model/rollup.ts';
import type { MetricsQuery, Store } from '../store/store.ts';
import { StoredModelService } from './model-service.ts';

const STEP_MS = 300_000;
const START_MS = Date.UTC(2025, 9, 1);
const WINDOWS = 600;
const END_MS = START_MS + WINDOWS * STEP_MS;
/** Windows in which shop fails, and the incident that says so. */
const FAULT = { from: 400, to: 420 };
const config = detectConfigSchema.parse({});

const spanOf = (from: number, to: number | null, services: string[]) => ({
  id: `in-${from}`,
  services,
  startedAt: isoTime(START_MS + from * STEP_MS),
  resolvedAt: to === null ? null : isoTime(START_MS + to * STEP_MS),
});

function valueOf(name: string, window: number): number {
  const prng = createPrng(window * 8 + FEATURES.indexOf(name as Feature));
  const isFault = window >= FAULT.from && window < FAULT.to;
  if (name === 'error_rate') return isFault ? 0.6 + 0.2 * prng.next() : 0.01 + 0.002 * prng.normal();
  if (name === 'event_count') return 1000 + Math.round(30 * prng.normal());
  return (isFault ? 500 : 50) + 5 * prng.normal();
}

/** Windows of shop and its incidents, and models in memory; what nobody asks of it is missing. */
function storeOf(incidents: object[]): Store & { added: StoredModel[] } {
  const added: StoredModel[] = [];
  const seen = { firstSeen: isoTime(START_MS), lastSeen: isoTime(END_MS), eventCount: 1e6, errorCount: 1 };
  const store = {
    added,
    services: () => Promise.resolve([{ service: 'shop', ...seen }]),
    metrics: ({ fromMs, toMs, names, stepMs }: MetricsQuery) =>
      Promise.resolve({
        stepMs,
        series: names.map((name) => ({
          name,
          labels: { service: 'shop' },
          unit: FEATURE_UNITS[name as Feature],
          points: Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, i) => {
            const startMs = fromMs + i * stepMs;
            return [startMs, valueOf(name, (startMs - START_MS) / STEP_MS)] as [number, number];
          }),
        })),
      }),
    // One incident a page: all pages have to be read.
    list: (_kind: string, { service, cursor = '0' }: { service: string; cursor?: string }) => {
      const own = (incidents as Incident[]).filter(({ services }) => services.includes(service));
      const next = Number(cursor) + 1;
      return Promise.resolve({ items: own.slice(next - 1, next), nextCursor: next < own.length ? String(next) : null });
    },
    models: {
      list: () => Promise.resolve(added.map(({ record }) => record)),
      get: (version: string) => Promise.resolve(added.find(({ record }) => record.version === version)),
      add: (model: StoredModel) => {
        const version = `v${added.length + 1}`;
        added.push({ ...model, record: { ...model.record, version } });
        return Promise.resolve(version);
      },
      rollBack: () => Promise.resolve(added[0]?.record),
    },
  };
  return store as unknown as Store & { added: StoredModel[] };
}

function serviceOf(store: Store, commands: DetectorCommand[] = []): StoredModelService {
  const clock = { ...systemClock, nowMs: () => END_MS };
  return new StoredModelService({ store, config, clock, command: (command) => Promise.resolve(commands.push(command)) });
}

test('windows that overlap an incident of the service or lie next to one are not trained on, and are counted', async () => {
  const own = [spanOf(FAULT.from, FAULT.to, ['shop', 'bank']), spanOf(100, 101, ['shop']), spanOf(590, null, ['shop'])];
  const store = storeOf([...own, spanOf(200, 300, ['bank'])]);
  const { models } = await serviceOf(store).train({ service: 'shop' });
  // Each with a window before and one after; what is open has no end.
  assert.equal(models[0]?.excludedWindows, 22 + 3 + 11);
  assert.equal(models[0]?.metrics.trainingWindows, WINDOWS - 36);
  const careless = (await serviceOf(storeOf([])).train({})).models[0];
  assert.equal(careless?.excludedWindows, 0);
  assert.notEqual(models[0]?.dataHash, careless?.dataHash);
  assert.equal(
    (await serviceOf(storeOf(own)).train({})).models[0]?.dataHash,
    models[0]?.dataHash,
    'the same data, the same hash',
  );
});

test('a service whose history is all incident has no model', async () => {
  const store = storeOf([spanOf(0, null, ['shop'])]);
  await assert.rejects(serviceOf(store).train({ service: 'shop' }), /fewer than 32 windows with events outside incidents/);
  assert.deepEqual(await serviceOf(store).train({}), { models: [], grid: null });
});

test('a grid search keeps what is best, and trains with it', async () => {
  const store = storeOf([spanOf(FAULT.from, FAULT.to, ['shop'])]);
  const { models, grid } = await serviceOf(store).train({ grid: true });
  assert.ok(grid);
  assert.equal(grid.rows.length, 3 * 3 * 3);
  assert.ok(grid.best.stability >= (grid.rows[0]?.stability ?? 1) - 0.01);
  const { parameters, features } = models[0] ?? {};
  const { trees, samples, contamination } = grid.best;
  assert.deepEqual([parameters?.nEstimators, parameters?.maxSamples, parameters?.contamination], [trees, samples, contamination]);
  assert.deepEqual(features, grid.best.features);
});

test('two versions are compared over the same windows, with labels also in precision and recall', async () => {
  const store = storeOf([spanOf(FAULT.from, FAULT.to, ['shop'])]);
  const service = serviceOf(store);
  await service.train({ toMs: START_MS + 300 * STEP_MS });
  await service.train({});
  const labels = [{ fromMs: START_MS + FAULT.from * STEP_MS, toMs: START_MS + FAULT.to * STEP_MS }];
  const comparison = await service.compare({ versions: ['v1', 'v2'], labels });
  assert.equal(comparison.windows, WINDOWS);
  const [a, b] = comparison.versions;
  assert.deepEqual([a.version, b.version, a.recall, b.recall], ['v1', 'v2', 1, 1]);
  assert.ok((a.precision ?? 0) > 0.3 && a.flagged > 20 && a.quantiles.p01 < a.quantiles.p50);
  assert.ok(comparison.agreement > 0.9 && comparison.bothFlagged >= 20 && (comparison.rankCorrelation ?? 0) > 0.5);
  const same = await service.compare({ versions: ['v1', 'v1'], fromMs: START_MS, toMs: START_MS + 50 * STEP_MS });
  assert.deepEqual([same.agreement, same.windows, same.versions[0].recall], [1, 50, null]);
  await assert.rejects(service.compare({ versions: ['v1', 'v7'] }), { code: 'not_found' });
  const other = store.added[1] as StoredModel;
  store.added.push({ ...other, record: { ...other.record, version: 'v3', service: 'bank' } });
  await assert.rejects(
    service.compare({ versions: ['v1', 'v3'] }),
    (error: HeliosError) => error.code === 'invalid_argument' && /v1 is of shop, v3 of bank/.test(error.message),
  );
});

test('rolling back tells the detector which model speaks now', async () => {
  const store = storeOf([]);
  const commands: DetectorCommand[] = [];
  const service = serviceOf(store, commands);
  await service.train({});
  assert.equal((await service.rollBack('shop')).version, 'v1');
  assert.deepEqual(
    commands.map((command) => (command.type === 'activate' ? command.model.record.version : command.type)),
    ['v1'],
  );
});
