import { SUB_WINDOW_MS } from '../model/rollup.ts';
import type { Report } from '../model/report.ts';
import type { FeatureFacts } from './evidence-anomalies.ts';
import type { ChangeFacts } from './evidence-changes.ts';
import type { Fact } from './evidence.ts';
import type { Facts } from './facts.ts';
import { MINUTE_MS } from './period.ts';

/** A change this short before the onset is taken as its trigger; up to the second figure it still points somewhere. */
export const TRIGGER_MS = 15 * MINUTE_MS;
export const HINT_MS = 60 * MINUTE_MS;
const STRONG_RATIO = 3;
const STRONG_ERROR_RATE = 0.1;
const RECOVERY_MS = 15 * MINUTE_MS;

/** Why the verdict; `code` is what the template turns into words. */
export interface VerdictReason {
  code:
    | 'change_before'
    | 'recovered_after_rollback'
    | 'first_to_deviate'
    | 'new_template'
    | 'warming_up'
    | 'no_cause'
    | 'nothing_corroborates';
  facts: Fact[];
  /** Milliseconds that the reason speaks of: from change to onset, to the next service, or to the recovery. */
  ms?: number;
}

export interface Judgement {
  verdict: Report['verdict'];
  reasons: VerdictReason[];
  /** The change taken as the trigger, if any. */
  trigger: ChangeFacts | undefined;
}

/** Whether a feature is far enough from what was expected that chance or drift is a poor explanation. */
export function isStrong({ attribution, expected, observed }: FeatureFacts): boolean {
  if (attribution.feature === 'error_rate') return observed.value - expected.value >= STRONG_ERROR_RATE;
  if (attribution.direction === 'down') return observed.value * STRONG_RATIO <= expected.value;
  return expected.value > 0 ? observed.value >= expected.value * STRONG_RATIO : observed.value > 0;
}

function changeReason(facts: Facts, withinMs: number): ChangeFacts | undefined {
  const { nearest, lead } = facts;
  return nearest && nearest.change.service === lead && nearest.leadMs <= withinMs ? nearest : undefined;
}

function rollbackRecovery({ changes, lead, period, incident }: Facts): ChangeFacts | undefined {
  if (incident.resolvedAt === null) return undefined;
  const resolvedMs = Date.parse(incident.resolvedAt);
  return changes.find(({ change, leadMs }) => {
    const afterMs = resolvedMs - Date.parse(change.at);
    return (
      change.service === lead &&
      change.type === 'rollback' &&
      leadMs < 0 &&
      afterMs >= 0 &&
      afterMs <= RECOVERY_MS &&
      Date.parse(change.at) > period.onsetMs
    );
  });
}

function corroboration(facts: Facts): VerdictReason[] {
  const { lead, services, templates } = facts;
  const reasons: VerdictReason[] = [];
  const change = changeReason(facts, HINT_MS);
  if (change) reasons.push({ code: 'change_before', facts: [change.at], ms: change.leadMs });
  const own = services.find(({ service }) => service === lead);
  const next = services.find(({ service }) => service !== lead);
  if (own && next && next.onsetMs - own.onsetMs >= SUB_WINDOW_MS) {
    const cited = [own.anomalies[0]?.startedAt, next.anomalies[0]?.startedAt].filter((fact) => fact !== undefined);
    reasons.push({ code: 'first_to_deviate', facts: cited, ms: next.onsetMs - own.onsetMs });
  }
  const fresh = templates.find(({ service, change: kind }) => service === lead && kind !== 'vanished');
  if (fresh) reasons.push({ code: 'new_template', facts: [fresh.count ?? fresh.event].filter((fact) => fact !== undefined) });
  return reasons;
}

/**
 * The verdict on the first-ranked cause, by rule:
 * - CONFIRMED: the first-ranked service changed at most 15 min before the onset (or up to a minute after it, as version
 *   changes are seen late), no affected service deviated before it, the effect is strong (error rate 10 points over the
 *   expected, any other feature 3 times off, or silence), and its baseline is past warming up; or it recovered within
 *   15 min of a rollback of that service.
 * - LIKELY: one thing points at the first-ranked service: a change at most 60 min before the onset, its deviation 10 s or
 *   more before any other service's, or a new or risen error message of its own.
 * - INCONCLUSIVE: no ranked cause, or nothing of the above.
 * All of it is coincidence in time, which a report must not call proof.
 */
export function judge(facts: Facts): Judgement {
  const { causes, main, services, lead } = facts;
  if (causes.length === 0) return { verdict: 'INCONCLUSIVE', reasons: [{ code: 'no_cause', facts: [] }], trigger: undefined };
  const reasons = corroboration(facts);
  const warmingUp = main?.anomaly.stage === 'warming_up';
  if (warmingUp) reasons.push({ code: 'warming_up', facts: [] });
  const trigger = changeReason(facts, TRIGGER_MS);
  const rollback = rollbackRecovery(facts);
  if (rollback) {
    const ms = Date.parse(facts.incident.resolvedAt as string) - Date.parse(rollback.change.at);
    const recovered: VerdictReason = { code: 'recovered_after_rollback', facts: [rollback.at], ms };
    return { verdict: 'CONFIRMED', reasons: [recovered, ...reasons], trigger };
  }
  const own = services.find(({ service }) => service === lead);
  const first = services.every(({ onsetMs }) => own !== undefined && own.onsetMs <= onsetMs);
  const strong = main !== undefined && (main.anomaly.signal === 'silence' || main.features.some(isStrong));
  if (trigger && first && strong && !warmingUp) return { verdict: 'CONFIRMED', reasons, trigger };
  if (reasons.some(({ code }) => code !== 'warming_up')) return { verdict: 'LIKELY', reasons, trigger };
  return { verdict: 'INCONCLUSIVE', reasons: [...reasons, { code: 'nothing_corroborates', facts: [] }], trigger };
}
