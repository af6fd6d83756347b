import { z } from 'zod';
import { isoTime } from '../../lib/clock.ts';
import type { Anomaly, Attribution } from '../../model/anomaly.ts';
import { unitOf } from '../../model/rollup.ts';
import { found } from '../incident-routes.ts';
import { idArgument } from './read-tools.ts';
import { defineTool } from './tool.ts';

const CHANGES_BEFORE_MS = 24 * 3_600_000;
const MAX_CHANGES = 10;
const STAGES: Record<Anomaly['stage'], string> = {
  warming_up: 'few values are known of the service yet',
  baseline: 'compared with what the service usually does at that time',
  trained: 'compared with what the service usually does, and judged by a model trained on it',
};

function valueText(feature: string, value: number): string {
  const unit = unitOf(feature);
  return unit === 'ratio' ? `${Number((value * 100).toPrecision(4))} %` : `${Number(value.toPrecision(4))} ${unit}`.trimEnd();
}

function attributionSentence({ feature, observed, expected, low, high, direction, share }: Attribution): string {
  const text = (value: number): string => valueText(feature, value);
  return `${feature} was ${text(observed)}, expected ${text(expected)} (${text(low)} to ${text(high)}): ${direction}, ${Math.round(share * 100)} % of the deviation.`;
}

function explain(anomaly: Anomaly): string[] {
  const { signal, stage, window, baseline, attribution, regime, quiet } = anomaly;
  return [
    `Signal ${signal}${regime ? `, a ${regime}` : ''}, from ${window.from} to ${window.to}; ${STAGES[stage]}.`,
    ...(attribution.length > 0 ? attribution.map(attributionSentence) : ['No single feature drives it.']),
    `Expected values are those of ${baseline.description} (${baseline.from} to ${baseline.to}).`,
    ...(quiet ? [`It opens no incident: ${quiet.reason}`] : []),
  ];
}

/** Paths whose answers the numbers can be found in. */
function queriesOf({ id, service, window, attribution }: Anomaly): string[] {
  const names = [...new Set(attribution.map(({ feature }) => feature))];
  const query = new URLSearchParams({ service, from: window.from, to: window.to });
  for (const name of names) query.append('name', name);
  return [`/api/v1/anomalies/${encodeURIComponent(id)}`, `/api/v1/metrics?${query.toString()}`];
}

/** Why something counts as an anomaly, and what else is known of it. */
export const explainAnomaly = defineTool({
  name: 'explain_anomaly',
  title: 'Why it is an anomaly',
  description:
    'One anomaly explained: what was observed against what was expected, since when, its incident and the ranked causes there, and changes of the service in the day before.',
  role: 'read',
  input: z.strictObject({ id: idArgument.meta({ description: 'Of an anomaly, as incidents list them in anomalyIds' }) }),
  async call({ store, withDeadline }, { id }) {
    const anomaly = found(await withDeadline(store.get('anomaly', id)), 'anomaly', id);
    const startMs = Date.parse(anomaly.startedAt);
    const range = { fromMs: startMs - CHANGES_BEFORE_MS, toMs: startMs + 1 };
    const [incident, changes] = await withDeadline(
      Promise.all([
        anomaly.incidentId === null ? undefined : store.get('incident', anomaly.incidentId),
        store.list('change', { service: anomaly.service, ...range, limit: MAX_CHANGES }),
      ]),
    );
    const summary = `The anomaly is ${anomaly.state}, its severity ${anomaly.severity}, and was detected at ${isoTime(Date.parse(anomaly.detectedAt))}.`;
    const about = incident && {
      id: incident.id,
      title: incident.title,
      status: incident.status,
      severity: incident.severity,
      services: incident.services,
      causes: incident.causes,
    };
    const data = {
      explanation: explain(anomaly),
      anomaly,
      incident: about ?? null,
      changes: changes.items,
      queries: queriesOf(anomaly),
    };
    return { summary, data };
  },
});
