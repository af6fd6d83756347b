import { replayFiling, type ReplayedFiling } from '../detect/filing-replay.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Feedback, FeedbackPreview, QuietRule } from '../model/feedback.ts';
import type { Store } from '../store/store.ts';

const DAY_MS = 86_400_000;
const PAGE = 1000;

export interface PreviewOptions {
  store: Store;
  /** In force beside the new one. */
  rules: readonly QuietRule[];
  /** Active feedback of incidents that were real. */
  confirmed: readonly Feedback[];
  gapMs: number;
  windowMs: number;
  nowMs: number;
  /** Lets others have a turn. */
  pause: () => Promise<void>;
}

async function anomaliesSince(store: Store, fromMs: number): Promise<Anomaly[]> {
  const found: Anomaly[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await store.list('anomaly', { fromMs, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.items);
    cursor = page.nextCursor;
  }
  return found;
}

async function run(replay: Generator<undefined, ReplayedFiling>, pause: PreviewOptions['pause']): Promise<ReplayedFiling> {
  for (;;) {
    const { done, value } = replay.next();
    if (done) return value;
    await pause();
  }
}

/** Incidents that a person called real, that called, and that would not have. */
async function hiddenAmong(
  { store, confirmed }: PreviewOptions,
  without: ReplayedFiling,
  withRule: ReplayedFiling,
): Promise<string[]> {
  const hidden: string[] = [];
  for (const { incidentId } of confirmed) {
    if (incidentId === null) continue;
    const labelled = await store.get('incident', incidentId);
    const incident = labelled?.mergedInto ? await store.get('incident', labelled.mergedInto) : labelled;
    const called = incident?.anomalyIds.filter((id) => without.called.has(id)) ?? [];
    if (called.length > 0 && !called.some((id) => withRule.called.has(id))) hidden.push(incidentId);
  }
  return hidden;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** What a rule would have changed: the stored anomalies of the window, filed with and without it by the code of the live desk. */
export async function previewRule(rule: QuietRule, options: PreviewOptions): Promise<FeedbackPreview> {
  const { store, rules, gapMs, windowMs, nowMs, pause } = options;
  const anomalies = await anomaliesSince(store, nowMs - windowMs);
  const replay = { gapMs, untilMs: nowMs };
  const without = await run(replayFiling(anomalies, rules, replay), pause);
  const withRule = await run(replayFiling(anomalies, [...rules, rule], replay), pause);
  const confirmedHidden = await hiddenAmong(options, without, withRule);
  const fewerAlerts = without.called.size - withRule.called.size;
  return {
    days: windowMs / DAY_MS,
    alerts: without.called.size,
    incidents: without.incidents,
    fewerAlerts,
    fewerIncidents: without.incidents - withRule.incidents,
    confirmedHidden,
    sentence: `${count(fewerAlerts, 'fewer alert')}, ${count(confirmedHidden.length, 'confirmed incident')} hidden`,
  };
}
