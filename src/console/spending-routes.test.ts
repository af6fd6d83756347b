import assert from 'node:assert/strict';
import test from 'node:test';
import { createFixture, keyedAuthorize } from './console.fixture.ts';
import { sampleCosts, sampleReceipt } from './spending.fixture.ts';

test('costs are asked for by service or day, over a range of days', async () => {
  await using fixture = await createFixture();
  const answer = await fixture.app.inject('/api/v1/costs?by=day&from=2025-10-01&to=2025-10-08T12:00:00Z');
  assert.deepEqual(answer.json(), sampleCosts);
  await fixture.app.inject('/api/v1/costs');
  assert.deepEqual(fixture.calls, [
    ['costs', { by: 'day', fromMs: Date.UTC(2025, 9, 1), toMs: Date.UTC(2025, 9, 8, 12) }],
    ['costs', { by: 'service' }],
  ]);
  assert.equal((await fixture.app.inject('/api/v1/costs?by=model')).statusCode, 400);
});

test('the receipts of an incident are listed, and one is given with the bytes that were sent', async () => {
  await using fixture = await createFixture();
  const list = (await fixture.app.inject('/api/v1/incidents/inc-1/receipts')).json<{ items: { id: string }[] }>();
  assert.deepEqual(
    list.items.map(({ id }) => id),
    [sampleReceipt.id],
  );
  assert.equal(Object.hasOwn(list.items[0] as object, 'sent'), false);
  assert.deepEqual((await fixture.app.inject(`/api/v1/receipts/${sampleReceipt.id}`)).json(), sampleReceipt);
  const missing = await fixture.app.inject('/api/v1/receipts/other');
  assert.deepEqual([missing.statusCode, missing.json<{ code: string }>().code], [404, 'not_found']);
  assert.equal((await fixture.app.inject('/api/v1/incidents/other/receipts')).statusCode, 404);
});

test('costs and receipts are for keys that may read', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  for (const url of ['/api/v1/costs', '/api/v1/incidents/inc-1/receipts', `/api/v1/receipts/${sampleReceipt.id}`]) {
    assert.equal((await fixture.app.inject(url)).statusCode, 401, url);
    assert.equal((await fixture.app.inject({ url, headers: { 'x-api-key': 'ingest' } })).statusCode, 403, url);
    assert.equal((await fixture.app.inject({ url, headers: { 'x-api-key': 'read' } })).statusCode, 200, url);
  }
});
