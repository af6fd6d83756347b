import assert from 'node:assert/strict';
import test from 'node:test';
import type { FeedbackLabel, IncidentFeedback } from '../model/feedback.ts';
import type { Incident } from '../model/incident.ts';
import { anomalyOf, kinshipOf, MINUTE, over, T0 } from './anomaly.fixture.ts';
import { IncidentFiling } from './incident-filing.ts';
import { labelled } from './incident-label.ts';

const SHOP = kinshipOf('front>cart');

function said(label: FeedbackLabel, cause: string | null = null): IncidentFeedback {
  return { id: `in-1.${label}`, label, cause, effect: null, by: 'ada', at: '2025-10-08T11:00:00.000Z' };
}

const command = (incidentId: string, feedback: IncidentFeedback | null) =>
  ({ type: 'label', incidentId, feedback, by: 'ada', atMs: T0 + 30 * MINUTE }) as const;

/** An incident of two services at a desk, cart being its first cause. */
function openIncident(): { filing: IncidentFiling; incident: Incident } {
  const filing = new IncidentFiling({ kinship: SHOP, gapMs: 5 * MINUTE, onMoved: () => {} });
  filing.file(anomalyOf('cart', T0), T0 + 20_000);
  filing.file(anomalyOf('front', T0 + MINUTE), T0 + 80_000);
  return { filing, incident: filing.drain().incidents[0] as Incident };
}

const servicesOf = ({ causes }: Incident): string[] => causes.map(({ service, rank }) => `${rank} ${service}`);

test('what a person says stands on the incident and in its history, once', () => {
  const { filing, incident } = openIncident();
  const label = command(incident.id, said('real'));
  const first = filing.judge(label) as Incident;
  assert.deepEqual(first.feedback, label.feedback);
  assert.deepEqual(first.events?.at(-1), { at: '2025-10-08T10:30:00.000Z', type: 'labelled', by: 'ada', label: 'real' });
  assert.equal(filing.judge(label)?.events?.length, first.events.length);
  assert.deepEqual(servicesOf(first), ['1 cart', '2 front']);
});

test('the cause that a person names is the first from then on, however often causes are ranked', () => {
  const { filing, incident } = openIncident();
  const named = filing.judge(command(incident.id, said('wrong_cause', 'front'))) as Incident;
  assert.deepEqual(servicesOf(named), ['1 front', '2 cart']);
  assert.match(named.causes[0]?.reason ?? '', /^Named by ada\. ./);
  filing.file(over(anomalyOf('cart', T0), T0 + 40 * MINUTE), T0 + 40 * MINUTE);
  assert.deepEqual(servicesOf(filing.changed(incident.id) as Incident), ['1 front', '2 cart']);
});

test('taking it back brings the ranks back as they were, also of a cause that was not among them', () => {
  for (const cause of ['front', 'database']) {
    const { filing, incident } = openIncident();
    const named = filing.judge(command(incident.id, said('wrong_cause', cause))) as Incident;
    assert.equal(named.causes[0]?.service, cause);
    const back = filing.judge(command(incident.id, null)) as Incident;
    assert.deepEqual(back.causes, incident.causes);
    assert.equal(back.feedback, null);
    assert.deepEqual(back.events?.at(-1)?.type, 'label_taken_back');
  }
});

test('an incident that no desk knows any more is changed the same way', () => {
  const { incident } = openIncident();
  const named = labelled(incident, command(incident.id, said('wrong_cause', 'front')));
  assert.deepEqual(servicesOf(named), ['1 front', '2 cart']);
  assert.deepEqual(servicesOf(labelled(named, command(incident.id, said('real')))), ['1 cart', '2 front']);
});
