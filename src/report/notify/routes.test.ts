import assert from 'node:assert/strict';
import test from 'node:test';
import { concernsIncident, coversIncident, labelsOf } from '../../model/incident-labels.ts';
import type { LabelPatterns } from '../../model/incident-labels.ts';
import type { Incident } from '../../model/incident.ts';
import { anomaly, incidentOf } from '../scenario.fixture.ts';
import { notifyConfig } from './delivery.fixture.ts';
import { receiversOf } from './routes.ts';

function incident(services: string[], changed: Partial<Incident> = {}): Incident {
  return incidentOf(
    services.map((service, i) => anomaly(`an-${i}`, service, i === 0 ? 'error_rate' : 'latency')),
    changed,
  );
}

const payment = incident(['prod/shop/payment', 'prod/shop/checkout']);

test('labels fit an incident by one of its services, all three of its names together', () => {
  const fitting: LabelPatterns[] = [
    {},
    { service: 'payment' },
    { service: 'checkout', environment: 'prod' },
    { service: 'prod/shop/pay*' },
    { service: ['search', 'check*'] },
    { namespace: 'sh?p', severity: 'high', signal: 'latency' },
  ];
  const others: LabelPatterns[] = [
    { service: 'pay' },
    { service: 'payment', environment: 'staging' },
    { environment: '' },
    { severity: ['low', 'critical'] },
    { signal: 'silence' },
  ];
  for (const patterns of fitting) assert.ok(concernsIncident(patterns, payment), JSON.stringify(patterns));
  for (const patterns of others) assert.ok(!concernsIncident(patterns, payment), JSON.stringify(patterns));
  assert.ok(concernsIncident({ environment: '' }, incident(['cart'])), 'no environment is the empty one');
  const bare = { ...payment, services: [], causes: [] };
  assert.ok(concernsIncident({}, bare));
  assert.ok(!concernsIncident({ service: 'payment' }, bare));
});

test('what is muted hides an incident only if it names all of its services, together or one by one', () => {
  assert.ok(!coversIncident([{ service: 'payment' }], payment));
  assert.ok(coversIncident([{ service: 'payment' }, { service: 'check*' }], payment));
  assert.ok(coversIncident([{ environment: 'prod' }], payment));
  assert.ok(!coversIncident([{ environment: 'prod', signal: 'latency' }], payment), 'an error rate is no latency');
  assert.ok(!coversIncident([{ environment: 'prod', severity: 'low' }], payment));
  assert.ok(coversIncident([{ service: '*' }], payment));
  assert.ok(!coversIncident([], payment));
  assert.ok(!coversIncident([{}], { ...payment, services: [] }), 'an incident of nobody is not hidden');
});

test('the labels of a message are those of the likeliest cause', () => {
  const expected = { service: 'payment', environment: 'prod', namespace: 'shop', severity: 'high', signal: 'error_rate' };
  assert.deepEqual(labelsOf(payment), expected);
  assert.deepEqual(labelsOf(incident(['cart'])), { service: 'cart', severity: 'high', signal: 'error_rate' });
  assert.deepEqual(labelsOf({ ...payment, services: [], causes: [] }), { severity: 'high' });
});

test('the first route that fits says who hears, and those after it while routes say continue', () => {
  const names = ['pager', 'chat', 'mail', 'shop'];
  const { routes } = notifyConfig(names, {
    routes: [
      { match: { environment: 'prod' }, min_severity: 'critical', receivers: ['pager'], continue: true },
      { match: { service: 'payment' }, receivers: ['shop'], continue: true },
      { match: { environment: ['prod', 'staging'] }, min_severity: 'medium', receivers: ['chat', 'mail'] },
      { receivers: ['mail'] },
    ],
  });
  const heard = (of: Incident): string[] => [...receiversOf(routes, names, of)].toSorted();
  assert.deepEqual(heard(payment), ['chat', 'mail', 'shop']);
  assert.deepEqual(heard({ ...payment, severity: 'critical' }), ['chat', 'mail', 'pager', 'shop']);
  assert.deepEqual(heard(incident(['prod/shop/search'], { severity: 'low' })), ['mail']);
  assert.deepEqual(heard(incident(['cart'])), ['mail']);
  assert.deepEqual([...receiversOf(routes.slice(0, 3), names, incident(['cart']))], []);
  assert.deepEqual([...receiversOf([], names, payment)], names, 'without routes all hear of all');
});
