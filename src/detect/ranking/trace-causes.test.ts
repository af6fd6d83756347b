import assert from 'node:assert/strict';
import test from 'node:test';
import { causesOf, traffic, type Call } from './trace-traffic.fixture.ts';

interface Shape {
  /** Deviations of the shop from normal. */
  stockWork?: number;
  stockWay?: number;
  cartWay?: number;
  stockReturnsEarly?: boolean;
  stockThrows?: boolean;
  cartCallsNobody?: boolean;
  name?: (text: string) => string;
}

/** front -> cart -> stock -> (own query), and cart -> price. */
function shop(shape: Shape, i: number): Call {
  const name = shape.name ?? ((text: string) => text);
  const jitter = 1 + 0.2 * Math.sin(i);
  const query: Call = { service: name('stock'), endpoint: name('query'), workMs: 2 * jitter };
  const stock: Call = {
    service: name('stock'),
    endpoint: name('/stock'),
    workMs: (shape.stockWork ?? 5) * jitter,
    message: shape.stockThrows ? `cannot read item ${i}: out of range` : `read item ${i}`,
    level: shape.stockThrows ? 'ERROR' : 'INFO',
    wayMs: (shape.stockWay ?? 1) * jitter,
    children: shape.stockReturnsEarly || shape.stockThrows ? [] : [query],
  };
  const price: Call = { service: name('price'), endpoint: name('/price'), workMs: 3 * jitter, wayMs: jitter };
  const answered = !shape.stockReturnsEarly && !shape.stockThrows;
  const cart: Call = {
    service: name('cart'),
    endpoint: name('/cart'),
    workMs: 4 * jitter,
    wayMs: (shape.cartWay ?? 1) * jitter,
    // Without an answer of stock the cart asks for no price.
    children: shape.cartCallsNobody ? [] : answered ? [stock, price] : [stock],
  };
  return { service: name('front'), endpoint: name('/'), workMs: 2 * jitter, children: [cart] };
}

const rank = (faulty: Shape, name?: Shape['name']): ReturnType<typeof causesOf> =>
  causesOf(
    traffic(
      (i) => shop(name ? { name } : {}, i),
      (i) => shop(name ? { ...faulty, name } : faulty, i),
    ),
  );

test('traffic as ever has no causes', () => {
  assert.deepEqual(rank({}), []);
});

test('a service whose own work takes longer is the cause, not its callers', () => {
  const causes = rank({ stockWork: 60 });
  assert.deepEqual([causes[0]?.service, causes[0]?.signal, causes.length], ['stock', 'self_time', 1]);
  assert.match(causes[0]?.reason ?? '', /^its own work takes 60\.5 ms in the median of 60 calls, normally 7\.56 ms\.$/);
});

test('time lost between caller and callee is the callee when other edges of the caller are as ever', () => {
  const [first] = rank({ stockWay: 200 });
  assert.deepEqual([first?.service, first?.signal], ['stock', 'network']);
});

test('time lost on every edge of a service is that service', () => {
  const [first, second] = causesOf(
    traffic(
      (i) => shop({}, i),
      (i) => {
        const call = shop({ cartWay: 200, stockWay: 200 }, i);
        for (const child of call.children?.[0]?.children ?? []) child.wayMs = 200;
        return call;
      },
    ),
  );
  assert.deepEqual([first?.service, first?.signal], ['cart', 'network']);
  assert.ok((first?.score ?? 0) > 1.5 * (second?.score ?? 0), `${first?.score} and ${second?.score}`);
});

test('an early return shows as work not done, and explains what the caller then leaves out', () => {
  const causes = rank({ stockReturnsEarly: true });
  assert.deepEqual([causes[0]?.service, causes[0]?.signal], ['stock', 'behaviour']);
  assert.match(causes[0]?.reason ?? '', /^0 % of 60 calls of \/stock do query, normally 100 %/);
  const cart = causes.find(({ service }) => service === 'cart');
  assert.match(cart?.reason ?? '', /mostly explained by stock/);
});

test('an exception shows as new errors and templates', () => {
  assert.equal(rank({ stockThrows: true })[0]?.service, 'stock');
});

test('who is called no more is no cause; who calls no more is', () => {
  assert.deepEqual(
    rank({ cartCallsNobody: true }).map(({ service }) => service),
    ['cart'],
  );
});

test('names and their order do not matter', () => {
  const renamed = new Map([
    ['stock', 'aa'],
    ['cart', 'zz'],
    ['price', 'front'],
    ['front', 'stock'],
  ]);
  for (const shape of [{ stockReturnsEarly: true }, { stockWay: 200, stockWork: 60 }]) {
    const plain = rank(shape).map(({ service, signal, score }) => [renamed.get(service), signal, score]);
    const mapped = rank(shape, (text) => renamed.get(text) ?? `${text}9`).map(({ service, signal, score }) => [
      service,
      signal,
      score,
    ]);
    assert.deepEqual(mapped, plain);
  }
});

test('trouble that was there before does not become normal', () => {
  const causes = causesOf(
    traffic(
      (i) => shop({ stockReturnsEarly: i >= 180 && i < 260 }, i),
      (i) => shop({ stockReturnsEarly: true }, i),
    ),
  );
  assert.equal(causes[0]?.service, 'stock');
  assert.match(causes[0]?.reason ?? '', /normally 100 %/);
});
