import assert from 'node:assert/strict';
import test from 'node:test';
import { createNames, type EventBatch } from '../model/event-batch.ts';
import { KIND_EVENT, KIND_INNER_SPAN, KIND_LOG, KIND_SPAN } from '../model/event.ts';
import { createEntityState, openEntity, type Entity } from './entity-state.ts';
import { Intake } from './intake.ts';
import { addRow, newBatch, START_MS, STEP_MS, testConfig } from './traffic.fixture.ts';

function openIntake(clock: 'wall' | 'events' = 'events') {
  const entities = new Map<string, Entity>();
  const replaced: string[] = [];
  const entityNamed = (name: string): Entity => {
    const entity = entities.get(name) ?? openEntity(createEntityState(name, 64));
    entities.set(name, entity);
    return entity;
  };
  const intake = new Intake({
    config: testConfig(),
    clock,
    pool: [],
    entityNamed,
    entityCount: () => entities.size,
    withRequests({ state: { id } }) {
      replaced.push(id);
      entities.delete(id);
      const fresh = entityNamed(id);
      fresh.state.hasRequests = true;
      return fresh;
    },
  });
  const counted = (name: string): number =>
    [...(entities.get(name)?.state.open.values() ?? [])].reduce((sum, { count }) => sum + count, 0);
  return { intake, counted, replaced, entities };
}

const names = createNames();

function batchOf(rows: { kind: number; weight?: number; service?: string; ms?: number; latency?: number }[]): EventBatch {
  const batch = newBatch(names);
  for (const { kind, weight = 1, service = 'shop', ms = 0, latency = 5 } of rows) {
    addRow(batch, service, START_MS + ms, false, latency);
    batch.kind[batch.count - 1] = kind;
    batch.weight[batch.count - 1] = weight;
  }
  return batch;
}

test('spans inside a request are not counted', () => {
  const { intake, counted } = openIntake();
  intake.observe(batchOf([{ kind: KIND_SPAN }, { kind: KIND_INNER_SPAN }, { kind: KIND_INNER_SPAN }]), START_MS, '');
  assert.equal(counted('shop'), 1);
});

test('an entity without requests is judged by its log records', () => {
  const { intake, counted } = openIntake();
  intake.observe(batchOf([{ kind: KIND_LOG }, { kind: KIND_LOG }]), START_MS, '');
  assert.equal(counted('shop'), 2);
});

test('with the first request an entity learns anew, and its log records no longer count', () => {
  const { intake, counted, replaced } = openIntake();
  intake.observe(batchOf([{ kind: KIND_LOG }, { kind: KIND_LOG }, { kind: KIND_EVENT }, { kind: KIND_LOG }]), START_MS, '');
  assert.deepEqual(replaced, ['shop']);
  assert.equal(counted('shop'), 1);
});

test('a sampled span counts for as many as it stands for, in every sum', () => {
  const { intake, entities } = openIntake();
  intake.observe(batchOf([{ kind: KIND_SPAN, weight: 16, latency: 10 }]), START_MS, '');
  const window = entities.get('shop')?.state.open.get(Math.floor(START_MS / STEP_MS));
  assert.deepEqual([window?.count, window?.latencyCount, window?.latencySum, window?.latencySquareSum], [16, 16, 160, 1600]);
  assert.equal(
    window?.histogram.reduce((sum, count) => sum + count, 0),
    16,
  );
});

test('what was held back keeps its kind and weight', () => {
  const { intake, counted } = openIntake();
  intake.observe(batchOf([{ kind: KIND_EVENT }]), START_MS, '');
  const later = ['shop', 'cart'].flatMap((service) =>
    Array.from({ length: 10 }, () => [
      { kind: KIND_SPAN, weight: 2, service, ms: 3_600_000 },
      { kind: KIND_LOG, service, ms: 3_600_000 },
      { kind: KIND_INNER_SPAN, service, ms: 3_600_000 },
    ]).flat(),
  );
  intake.observe(batchOf(later), START_MS, '');
  assert.equal(counted('cart'), 20);
  assert.equal(counted('shop'), 21);
});
