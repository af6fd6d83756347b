import type { FeatureChange, LatencyChange } from './trace-changes.ts';
import { gatherEvidence, networkEvidence, type ServiceEvidence } from './trace-evidence.ts';
import { explainAway } from './trace-explaining.ts';
import { CALL, edgeOf, ERROR, featureOf, OPERATION, TEMPLATE, type TraceNames } from './trace-keys.ts';
import type { TraceProfileState } from './trace-profile-state.ts';
import type { TraceWindow } from './trace-window.ts';

/** `behaviour`: what calls do, whom they call, what they log and whether they fail. */
export type TraceSignal = 'behaviour' | 'self_time' | 'network';

export interface TraceCause {
  service: string;
  /** What weighs most. */
  signal: TraceSignal;
  /** In octaves of latency, > 0; larger is likelier. */
  score: number;
  reason: string;
  /** The service that it calls less than normally, when that is its change of behaviour. */
  callsLess?: string;
}

/** Weaker evidence is noise and no cause. */
const MIN_SCORE = 0.01;

/** Services that traces of the window speak against, likeliest cause first; ties by name. */
export function rankTraceCauses(normal: TraceProfileState, window: TraceWindow, names: TraceNames): TraceCause[] {
  const evidence = gatherEvidence(normal, window, names);
  const explanations = explainAway(evidence);
  const causes: TraceCause[] = [];
  for (const row of evidence.values()) {
    const { remaining, by } = explanations.get(row.service) ?? { remaining: 1, by: undefined };
    const parts: [TraceSignal, number, string][] = [
      ['behaviour', row.structure * remaining, row.structureOf ? featureText(row.structureOf, names) : ''],
      ['self_time', row.selfTime, row.selfTimeOf ? latencyText('its own work', row.selfTimeOf) : ''],
      ['network', networkEvidence(row), gapText(row, names)],
    ];
    const score = parts.reduce((sum, [, amount]) => sum + amount, 0);
    const said = parts.filter(([, amount, text]) => amount >= MIN_SCORE && text !== '').sort((a, b) => b[1] - a[1]);
    if (score < MIN_SCORE || said[0] === undefined) continue;
    const explained = by !== undefined && remaining < 0.5 ? [`mostly explained by ${names.services.name(by)}`] : [];
    const reason = `${[...said.map(([, , text]) => text), ...explained].join('; ')}.`;
    const signal = said[0][0];
    const lost = signal === 'behaviour' ? lostCallee(row, names) : undefined;
    const cause = { service: names.services.name(row.service), signal, score, reason };
    causes.push(lost === undefined ? cause : { ...cause, callsLess: lost });
  }
  return causes.sort((a, b) => b.score - a.score || (a.service < b.service ? -1 : 1));
}

function lostCallee({ structureOf }: ServiceEvidence, names: TraceNames): string | undefined {
  if (!structureOf || structureOf.after >= structureOf.before) return undefined;
  const { kind, part } = featureOf(structureOf.key);
  return kind === CALL ? names.services.name(names.serviceOf(part)) : undefined;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function featureText(change: FeatureChange, names: TraceNames): string {
  const feature = featureOf(change.key);
  const what = names.partName(feature);
  const times = feature.atLeast > 1 ? ` at least ${feature.atLeast} times` : '';
  const deed =
    feature.kind === TEMPLATE
      ? `log "${what}"`
      : feature.kind === ERROR
        ? `fail in ${what}`
        : feature.kind === OPERATION
          ? `do ${what}`
          : `call ${what}`;
  const of = names.endpoints.name(names.endpointOf(change.visit));
  return `${percent(change.after)} of ${change.calls} calls of ${of} ${deed}${times}, normally ${percent(change.before)}`;
}

function latencyText(what: string, { beforeMs, afterMs, calls }: LatencyChange): string {
  return `${what} takes ${afterMs.toPrecision(3)} ms in the median of ${calls} calls, normally ${beforeMs.toPrecision(3)} ms`;
}

function gapText({ gapOf }: ServiceEvidence, names: TraceNames): string {
  if (!gapOf) return '';
  const { caller, visit } = edgeOf(gapOf.key);
  const way = `the way from ${names.services.name(caller)} to ${names.services.name(names.serviceOf(visit))} and back`;
  return latencyText(way, gapOf);
}
