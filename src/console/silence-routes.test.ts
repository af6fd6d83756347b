import assert from 'node:assert/strict';
import test from 'node:test';
import type { Silence } from '../model/silence.ts';
import { createFixture, keyedAuthorize, NOW_MS, stubStore } from './console.fixture.ts';
import type { Fixture } from './console.fixture.ts';

const URL = '/api/v1/silences';
type Shown = Silence & { state: string };

function post({ app }: Fixture, payload: object, key?: string) {
  return app.inject({ method: 'POST', url: URL, payload, ...(key && { headers: { 'x-api-key': key } }) });
}

async function states({ app }: Fixture): Promise<string[]> {
  return (await app.inject(URL)).json<{ items: Shown[] }>().items.map(({ comment, state }) => `${comment} ${state}`);
}

test('a silence begins, is listed, ends by itself or when it is deleted, and is forgotten after a week', async () => {
  await using fixture = await createFixture();
  const labels = { service: 'payment*', environment: ['prod', 'staging'] };
  const answer = await post(fixture, { labels, duration: '2h', comment: 'first', by: 'ada' });
  assert.equal(answer.statusCode, 201);
  const first = answer.json<Shown>();
  assert.deepEqual(first.labels, labels);
  assert.equal(first.from, '2025-10-08T10:30:00.000Z');
  assert.equal(first.to, '2025-10-08T12:30:00.000Z');
  assert.deepEqual([first.by, first.state], ['ada', 'active']);
  assert.equal(answer.headers.location, `${URL}/${first.id}`);
  await post(fixture, { labels: { service: '*' }, from: '2025-10-08T11:00:00Z', to: NOW_MS + 3_600_000, comment: 'second' });
  assert.deepEqual(await states(fixture), ['first active', 'second pending']);
  assert.equal((await fixture.app.inject(`${URL}?state=pending`)).json<{ items: Shown[] }>().items.length, 1);
  const ended = await fixture.app.inject({ method: 'DELETE', url: `${URL}/${first.id}` });
  assert.deepEqual([ended.json<Shown>().state, ended.json<Shown>().to], ['expired', '2025-10-08T10:30:00.000Z']);
  fixture.clock.advance(45 * 60_000);
  assert.deepEqual(await states(fixture), ['second active', 'first expired']);
  assert.equal((await fixture.app.inject(`${URL}/${first.id}`)).json<Shown>().state, 'expired');
  fixture.clock.advance(8 * 86_400_000);
  await post(fixture, { labels: { signal: 'latency' }, duration: '1h', comment: 'third' });
  assert.deepEqual(await states(fixture), ['third active']);
});

test('what would silence nothing, everything by mistake, or for ever is refused', async () => {
  await using fixture = await createFixture();
  const labels = { service: 'cart' };
  const bodies: [object, string][] = [
    [{ labels: {}, duration: '1h' }, 'labels'],
    [{ labels: { servise: 'cart' }, duration: '1h' }, 'labels.servise'],
    [{ labels }, 'to'],
    [{ labels, duration: '1h', to: NOW_MS + 5 }, 'to'],
    [{ labels, duration: 'soon' }, 'duration'],
    [{ labels, to: NOW_MS - 1 }, 'to'],
    [{ labels, from: NOW_MS + 10, to: NOW_MS + 10 }, 'to'],
    [{ labels, duration: '400d' }, 'to'],
    [{ labels, to: 'tomorrow' }, 'to'],
  ];
  for (const [body, field] of bodies) {
    const answer = await post(fixture, body);
    assert.equal(answer.statusCode, 400, JSON.stringify(body));
    assert.equal(answer.json<{ field: string }>().field, field);
  }
  assert.equal((await fixture.app.inject(`${URL}/sil-none`)).statusCode, 404);
  assert.equal((await fixture.app.inject({ method: 'DELETE', url: `${URL}/sil-none` })).statusCode, 404);
});

test('silences are made by those who may respond, and only for services that their key may speak for', async () => {
  await using fixture = await createFixture({ authorize: keyedAuthorize });
  const body = { labels: { service: 'cart' }, duration: '1h' };
  assert.equal((await post(fixture, body, 'read')).statusCode, 403);
  assert.equal((await post(fixture, body, 'respond')).statusCode, 201);
  assert.equal((await post(fixture, body, 'cart-responder')).statusCode, 201);
  for (const service of ['c*', 'payment', ['cart', 'payment']]) {
    assert.equal((await post(fixture, { ...body, labels: { service } }, 'cart-responder')).statusCode, 403);
  }
  const other = (await post(fixture, { ...body, labels: { signal: 'latency' } }, 'respond')).json<Shown>();
  const headers = { 'x-api-key': 'cart-responder' };
  assert.equal((await fixture.app.inject({ method: 'DELETE', url: `${URL}/${other.id}`, headers })).statusCode, 403);
});

test('no more than a thousand at a time', async () => {
  const store = stubStore([]);
  await using fixture = await createFixture({ store });
  const first = await post(fixture, { labels: { service: 'one' }, duration: '1h' });
  const { state: _, ...silence } = first.json<Shown>();
  const copies = Array.from({ length: 999 }, (_copy, i) => ({
    key: `silence/copy-${i}`,
    value: { ...silence, id: `copy-${i}` },
  }));
  await store.records.write(copies.map((copy) => ({ ...copy, revision: 0 })));
  assert.equal((await post(fixture, { labels: { service: 'two' }, duration: '1h' })).statusCode, 409);
  fixture.clock.advance(2 * 3_600_000);
  assert.equal((await post(fixture, { labels: { service: 'two' }, duration: '1h' })).statusCode, 201);
});
