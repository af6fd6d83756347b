import { quietPatterns } from '../detect/quiet-rules.ts';
import { isoTime } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Anomaly } from '../model/anomaly.ts';
import { entityMatches } from '../model/entity.ts';
import type { FeedbackRequest, QuietRule } from '../model/feedback.ts';
import type { Incident } from '../model/incident.ts';
import type { Store } from '../store/store.ts';

/** A storm has more: its first ones speak for it. */
const MAX_ANOMALIES = 1000;

function refuse(why: string, field: string): HeliosError {
  return new HeliosError('invalid_argument', `cannot take the feedback: ${why}`, { details: { field } });
}

/** Throws `invalid_argument` for parts that do not go together. */
export function checkRequest({ label, cause, scope }: FeedbackRequest): void {
  if (label === 'wrong_cause' && cause === undefined) throw refuse('wrong_cause needs the service that it was', 'cause');
  if (label !== 'wrong_cause' && cause !== undefined) throw refuse(`${label} names no cause`, 'cause');
  if (scope && label !== 'expected' && label !== 'false_alarm') throw refuse(`${label} makes no rule to narrow`, 'scope');
  if (!scope?.hours) return;
  if (label !== 'expected') throw refuse('a false alarm is one at any hour; expected takes hours', 'scope.hours');
  if (scope.hours.from === scope.hours.to) throw refuse('hours that begin and end at once are none', 'scope.hours');
}

/** Whether feedback of this kind keeps later anomalies from calling. */
function makesRule(request: FeedbackRequest): request is FeedbackRequest & { label: QuietRule['label'] } {
  return (request.label === 'expected' || request.label === 'false_alarm') && request.apply !== false;
}

async function anomaliesOf(store: Store, { id, anomalyIds }: Incident): Promise<Anomaly[]> {
  const found = await Promise.all(anomalyIds.slice(0, MAX_ANOMALIES).map((anomalyId) => store.get('anomaly', anomalyId)));
  const anomalies = found.filter((anomaly) => anomaly !== undefined);
  if (anomalies.length > 0) return anomalies;
  throw new HeliosError('conflict', `cannot make a rule of incident ${id}: its anomalies are no longer stored`);
}

/** The rule that follows from feedback, under an id that it does not have yet; null when none does. */
export async function ruleOf(
  store: Store,
  incident: Incident,
  request: FeedbackRequest,
  atMs: number,
): Promise<QuietRule | null> {
  if (!makesRule(request)) return null;
  const { by, label, scope } = request;
  const all = await anomaliesOf(store, incident);
  const { services, match = 'entity', hours = null } = scope ?? {};
  const meant = services ? all.filter(({ service }) => services.some((name) => entityMatches(service, name))) : all;
  if (meant.length === 0) throw refuse(`none of the services has an anomaly in incident ${incident.id}`, 'scope.services');
  const patterns = quietPatterns(meant, { match, hours }, atMs);
  return { id: '', label, by, at: isoTime(atMs), patterns };
}
