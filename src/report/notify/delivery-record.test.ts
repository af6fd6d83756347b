import assert from 'node:assert/strict';
import test from 'node:test';
import { contentOf, deliveryId, deliveryKey, isTransition, messageState, receiverKey, standingOf } from './delivery-record.ts';
import { openIncident } from './delivery.fixture.ts';
import type { Sent } from './notifier.ts';

const sent = (state: Sent['state']): Sent => ({ ref: {}, revision: 1, state });

test('keys are those of one receiver each, whatever it is called, and short enough for any receiver', () => {
  const names = ['chat', 'chat/in-1', 'on call', 'Ünïcode', '\u{1f525}'.repeat(50), `${'\u{1f525}'.repeat(49)}x`, '%', '~'];
  const ids = names.map((name) => deliveryId(name, 'in-bf632ed87f58f604'));
  assert.equal(new Set(ids).size, names.length);
  for (const id of ids) assert.ok(id.length <= 200 && id.split('/').length === 2, id);
  assert.ok(deliveryKey('chat', 'in-1').startsWith(`${receiverKey('chat')}/`));
});

test('a message is opened until it is sent, and again when its incident is', () => {
  const open = openIncident('in-1');
  const resolved = openIncident('in-1', { status: 'resolved' });
  assert.equal(messageState(open, null), 'opened');
  assert.equal(messageState(open, sent('opened')), 'updated');
  assert.equal(messageState(open, sent('resolved')), 'opened');
  assert.equal(messageState(openIncident('in-1', { status: 'acknowledged' }), null), 'acknowledged');
  assert.equal(messageState(resolved, sent('opened')), 'resolved');
  assert.equal(messageState(openIncident('in-1', { mergedInto: 'in-2' }), sent('opened')), 'resolved');
  assert.ok(!isTransition('opened', 'updated'));
  assert.ok(isTransition('updated', 'acknowledged'));
  assert.ok(isTransition(undefined, 'opened'));
});

test('content is what a message shows; a standing is what a person would call another situation', () => {
  const incident = openIncident('in-1');
  const report = { version: 1 };
  const same = { ...incident, updatedAt: '2026-01-01T00:00:00.000Z', events: [] };
  assert.equal(contentOf(same, report, 0), contentOf(incident, report, 0));
  const others = [
    contentOf({ ...incident, title: 'another' }, report, 0),
    contentOf({ ...incident, acknowledgedBy: 'ada' }, report, 0),
    contentOf(incident, { version: 2 }, 0),
    contentOf(incident, null, 0),
    contentOf(incident, report, 3),
  ];
  assert.equal(new Set([contentOf(incident, report, 0), ...others]).size, 6);
  assert.equal(standingOf({ ...incident, title: 'another' }), standingOf(incident));
  assert.equal(standingOf({ ...incident, severity: 'low' }, 'high'), standingOf(incident), 'it is as bad as it was at worst');
  assert.notEqual(standingOf({ ...incident, severity: 'critical' }, 'high'), standingOf(incident));
});
