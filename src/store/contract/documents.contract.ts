import assert from 'node:assert/strict';
import type { Page } from '../store.ts';
import { anomalyOf, changeOf, incidentOf, modelOf, reportOf } from './document-fixture.ts';
import type { ContractTests } from './store-fixture.ts';
import { T0 } from './store-fixture.ts';

export const documentsContract: ContractTests = {
  'documents are listed newest first, filtered by time, service and status, over pages': async (fixture) => {
    const incidents = [0, 1, 2, 3, 4].map((i) =>
      incidentOf(`i${i}`, T0 + (i % 3) * 1000, i % 2 ? ['prod//cart', 'auth'] : ['pay']),
    );
    await fixture.commit({ incidents });
    const ids = async (query: object): Promise<string[]> => {
      const found: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<{ id: string }> = await fixture.store.list('incident', {
          limit: 2,
          ...query,
          ...(cursor !== null && { cursor }),
        });
        found.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      return found;
    };
    assert.deepEqual(await ids({}), ['i2', 'i4', 'i1', 'i3', 'i0']);
    assert.deepEqual(await ids({ service: 'cart' }), ['i1', 'i3']);
    assert.deepEqual(await ids({ service: 'prod//cart' }), ['i1', 'i3']);
    assert.deepEqual(await ids({ service: 'art' }), []);
    assert.deepEqual(await ids({ fromMs: T0 + 1000, toMs: T0 + 2000 }), ['i4', 'i1']);
    await fixture.commit({ incidents: [{ ...incidentOf('i4', T0 + 1000, ['pay']), status: 'resolved' }] });
    assert.deepEqual(await ids({ status: 'resolved' }), ['i4']);
    assert.deepEqual(await ids({ status: 'open', service: 'pay' }), ['i2', 'i0']);
  },

  'documents survive a restart as they were stored, and the last write wins': async (fixture) => {
    const anomaly = anomalyOf('a1', T0);
    await fixture.commit({ anomalies: [anomaly], changes: [changeOf('c1', T0)] });
    await fixture.commit({ anomalies: [{ ...anomaly, state: 'resolved', resolvedAt: '2025-10-08T10:05:00.000Z' }] });
    await fixture.store.put('change', changeOf('c2', T0 + 1));
    await fixture.restart();
    assert.equal((await fixture.store.get('anomaly', 'a1'))?.state, 'resolved');
    assert.deepEqual(await fixture.store.get('change', 'c2'), changeOf('c2', T0 + 1));
    assert.equal(await fixture.store.get('anomaly', 'nothing'), undefined);
    assert.deepEqual(
      (await fixture.store.list('change', { limit: 5 })).items.map(({ id }) => id),
      ['c2', 'c1'],
    );
  },

  'a report is kept in every version and answered in its newest, under the services of its incident': async (fixture) => {
    await fixture.commit({ incidents: [incidentOf('i1', T0, ['prod//cart'])] });
    await fixture.store.put('report', reportOf('i1', 2, T0 + 2000));
    await fixture.store.put('report', reportOf('i1', 1, T0 + 1000));
    await fixture.store.put('report', reportOf('i2', 1, T0 + 500));
    assert.equal((await fixture.store.get('report', 'i1'))?.version, 2);
    const { items } = await fixture.store.list('report', { limit: 10 });
    assert.deepEqual(
      items.map(({ incidentId, version }) => [incidentId, version]),
      [
        ['i1', 2],
        ['i2', 1],
      ],
    );
    assert.equal((await fixture.store.list('report', { limit: 10, service: 'cart' })).items.length, 1);
  },
};

export const modelsContract: ContractTests = {
  'models are numbered in one series and one a service is active': async (fixture) => {
    const { models } = fixture.store;
    assert.equal(await models.add(modelOf('cart', 'active')), 'v1');
    assert.equal(await models.add(modelOf('pay', 'active')), 'v2');
    await fixture.commit({ models: [modelOf('cart', 'active')] });
    const states = async (): Promise<string[]> =>
      (await fixture.store.models.list()).map(({ version, state }) => `${version} ${state}`);
    assert.deepEqual(await states(), ['v3 active', 'v2 active', 'v1 inactive']);
    assert.equal((await models.activate('v1')).state, 'active');
    await fixture.restart();
    assert.deepEqual(await states(), ['v3 inactive', 'v2 active', 'v1 active']);
    const stored = await fixture.store.models.get('v1');
    assert.deepEqual([stored?.record.version, Buffer.from(stored?.payload ?? []).toString()], ['v1', 'trees of cart']);
    assert.equal(await fixture.store.models.get('v9'), undefined);
    await assert.rejects(fixture.store.models.activate('v9'), { code: 'not_found' });
    await assert.rejects(fixture.store.models.activate('latest'), { code: 'not_found' });
  },
  'rolling back goes through the versions that were active before, newest first, and ends with the first': async (fixture) => {
    const { models } = fixture.store;
    for (const service of ['cart', 'cart', 'cart', 'pay', 'cart']) await models.add(modelOf(service, 'inactive'));
    await assert.rejects(models.rollBack('cart'), { code: 'not_found' });
    for (const version of ['v1', 'v4', 'v3', 'v2']) await models.activate(version);
    await fixture.commit({ models: [modelOf('cart', 'active')] });
    await fixture.restart();
    const back = async (): Promise<string> => (await fixture.store.models.rollBack('cart')).version;
    assert.deepEqual([await back(), await back(), await back()], ['v2', 'v3', 'v1']);
    await assert.rejects(back(), { code: 'conflict' });
    assert.equal((await fixture.store.models.activate('v3')).state, 'active');
    assert.equal(await back(), 'v1', 'what was taken back comes again only when it is activated');
    const active = (await fixture.store.models.list()).filter(({ state }) => state === 'active');
    assert.deepEqual(
      active.map(({ version }) => version),
      ['v4', 'v1'],
    );
  },
};
