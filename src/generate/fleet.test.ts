import assert from 'node:assert/strict';
import test from 'node:test';
import { createFleet } from './fleet.ts';

test('fleets of 3 to 200 services have traffic everywhere, depth, and no request through hundreds of hops', () => {
  for (const count of [3, 10, 40, 200]) {
    const { services, eventsPerRequest } = createFleet(5, count);
    assert.equal(new Set(services.map(({ name }) => name)).size, count);
    assert.ok(services.every(({ visits }) => visits > 0));
    assert.ok(eventsPerRequest < 40, `${eventsPerRequest} events per request`);
  }
  const { services } = createFleet(5, 200);
  const depth = (service: number): number =>
    1 + Math.max(0, ...(services[service]?.callers ?? []).map((caller) => depth(caller.service)));
  assert.ok(Math.max(...services.map((_, service) => depth(service))) >= 6);
});

test('a service that waits for others has a small share of time of its own, a leaf has all', () => {
  const { services } = createFleet(5, 10);
  const shareOf = (name: string): number => services.find((service) => service.name === name)?.ownShare ?? NaN;
  assert.ok(shareOf('edge-gateway') < 0.2);
  assert.equal(shareOf('listing'), 1);
});

test('callers know in what share of their requests they depend on a service', () => {
  const { services } = createFleet(5, 10);
  const ledgerless = services.find(({ name }) => name === 'web-portal');
  assert.deepEqual(
    ledgerless?.callers.map(({ service }) => services[service]?.name),
    ['edge-gateway'],
  );
  assert.ok(Math.abs((ledgerless?.callers[0]?.dependence ?? 0) - 0.76) < 0.01);
});
