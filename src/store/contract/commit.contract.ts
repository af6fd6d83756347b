import assert from 'node:assert/strict';
import type { StoreUpdate } from '../store.ts';
import { anomalyOf, changeOf } from './document-fixture.ts';
import { batchOf, eventAt } from './event-fixture.ts';
import type { ContractTests } from './store-fixture.ts';
import { HOUR_MS, NO_UPDATE, T0 } from './store-fixture.ts';

export const commitContract: ContractTests = {
  'a reader sees what was committed and nothing else': async (fixture) => {
    fixture.feed([eventAt(T0)]);
    assert.equal(await fixture.count('cart'), 0);
    await fixture.commit();
    assert.equal(await fixture.count('cart'), 1);
    assert.equal(fixture.writer.offset(), 1);
  },

  'after a restart the writer goes on from the committed offset and ignores what is below it': async (fixture) => {
    fixture.feed([eventAt(T0), eventAt(T0 + 1)]);
    await fixture.commit();
    fixture.feed([eventAt(T0 + 2)]);
    await fixture.restart();
    assert.equal(fixture.writer.offset(), 1);
    fixture.writer.observe(batchOf(fixture.names, [eventAt(T0), eventAt(T0 + 1)]), 0);
    fixture.writer.observe(batchOf(fixture.names, [eventAt(T0 + 2)]), 1);
    await fixture.commit();
    assert.equal(await fixture.count('cart'), 3);
  },

  'a commit below the committed offset changes nothing': async (fixture) => {
    const templates = [{ entity: 'cart', templateId: 't', template: 'x <*>', minuteMs: T0, count: 2, example: 'x 1' }];
    fixture.feed([eventAt(T0)]);
    fixture.feed([eventAt(T0)]);
    await fixture.commit({ templates });
    await fixture.writer.commit({ ...NO_UPDATE, templates }, 1);
    assert.equal(fixture.writer.offset(), 2);
    assert.equal((await fixture.store.templates({ fromMs: T0, toMs: T0 + 1, limit: 10 }))[0]?.count, 2);
  },

  'the checkpoint is kept with its own offset until the next one': async (fixture) => {
    assert.equal(fixture.writer.checkpoint(), undefined);
    fixture.feed([eventAt(T0)]);
    await fixture.commit({ checkpoint: Buffer.from('state') });
    fixture.feed([eventAt(T0)]);
    await fixture.commit();
    await fixture.restart();
    const found = fixture.writer.checkpoint();
    assert.equal(Buffer.from(found?.payload ?? []).toString(), 'state');
    assert.equal(found?.offset, 1);
    assert.equal(fixture.writer.offset(), 2);
  },

  'template counts add up, most frequent first, and know when they were first seen': async (fixture) => {
    const count = (template: string, minuteMs: number, n: number, entity = 'cart'): StoreUpdate['templates'][number] => {
      return { entity, templateId: template, template, minuteMs, count: n, example: `${template} 1` };
    };
    await fixture.commit({ templates: [count('a', T0, 2), count('b', T0, 3), count('a', T0 - 60_000, 9)] });
    await fixture.commit({ templates: [count('a', T0, 2), count('c', T0, 1, 'prod//pay')] });
    const found = await fixture.store.templates({ fromMs: T0, toMs: T0 + 60_000, limit: 10 });
    assert.deepEqual(
      found.map(({ template, count, firstSeen }) => [template, count, firstSeen]),
      [
        ['a', 4, '2025-10-08T09:59:00.000Z'],
        ['b', 3, '2025-10-08T10:00:00.000Z'],
        ['c', 1, '2025-10-08T10:00:00.000Z'],
      ],
    );
    const pay = await fixture.store.templates({ service: 'pay', fromMs: T0, toMs: T0 + 60_000, limit: 10 });
    assert.deepEqual(
      pay.map(({ service }) => service),
      ['prod//pay'],
    );
  },

  'retention removes rollups, templates and documents before a time and leaves the rest': async (fixture) => {
    fixture.feed([eventAt(T0 - 48 * HOUR_MS, { service: 'old' }), eventAt(T0 - 48 * HOUR_MS), eventAt(T0)]);
    await fixture.commit({
      changes: [changeOf('c1', T0 - 48 * HOUR_MS), changeOf('c2', T0)],
      anomalies: [anomalyOf('a1', T0 - 48 * HOUR_MS)],
    });
    await fixture.writer.retain(T0 - 24 * HOUR_MS);
    assert.equal(await fixture.count('cart', T0 - 48 * HOUR_MS, T0 + HOUR_MS), 1);
    const services = await fixture.store.services({ fromMs: T0 - 72 * HOUR_MS, toMs: T0 + HOUR_MS });
    assert.deepEqual(
      services.map(({ service }) => service),
      ['cart'],
    );
    assert.deepEqual(
      (await fixture.store.list('change', { limit: 10 })).items.map(({ id }) => id),
      ['c2'],
    );
    assert.equal((await fixture.store.list('anomaly', { limit: 10 })).items.length, 1, 'a firing anomaly stays');
    fixture.feed([eventAt(T0, { service: 'old' }), eventAt(T0, { service: 'new' })]);
    await fixture.commit();
    assert.deepEqual([await fixture.count('old'), await fixture.count('new'), await fixture.count('cart')], [1, 1, 1]);
  },
};
