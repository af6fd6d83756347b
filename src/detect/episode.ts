import { isoTime } from '../lib/clock.ts';
import type { Anomaly, Attribution, Quiet, Regime, Severity, Signal, Stage } from '../model/anomaly.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { createPersistence, isCalm, type Persistence } from './firing-rule.ts';
import { hashId } from './identifier.ts';
import { createCourse, type Course } from './regime.ts';

/** The life of one signal of one entity: quiet, firing, quiet again. One fault is one anomaly document under one id. */
export interface Episode {
  persistence: Persistence;
  open: boolean;
  /** A person resolved its incident: it makes no noise until it is calm. */
  muted: boolean;
  horizon: number;
  startStep: number;
  firedStep: number;
  calmSteps: number;
  /** Strongest evidence so far, -log10 p. */
  evidence: number;
  course: Course;
  anomaly: Anomaly | null;
}

/** What is known of a firing signal at one step. */
export interface Finding {
  evidence: number;
  rawScore: number | null;
  attribution: Attribution[];
  severity: Severity;
  window: { lastStep: number; length: number };
}

/** Two calm minutes end an anomaly. */
const CALM_STEPS = 12;
const MATERIAL_RATIO = 1.5;
/** Beyond this nothing gets materially worse: all of nothing is still nothing. */
const MAX_RATIO = 100;
export const SIGNALS: readonly Signal[] = ['silence', 'error_rate', 'latency', 'traffic', 'multivariate'];

export function createEpisode(): Episode {
  return {
    persistence: createPersistence(),
    open: false,
    muted: false,
    horizon: 0,
    startStep: -1,
    firedStep: -1,
    calmSteps: 0,
    evidence: 0,
    course: createCourse(),
    anomaly: null,
  };
}

const timeOf = (step: number): string => isoTime(step * SUB_WINDOW_MS);

function windowOf({ lastStep, length }: Finding['window']): Anomaly['window'] {
  return { from: timeOf(lastStep - length + 1), to: timeOf(lastStep + 1) };
}

export interface Opening {
  service: string;
  signal: Signal;
  step: number;
  startStep: number;
  horizon: number;
  stage: Stage;
  score: number;
  baseline: Anomaly['baseline'];
  regime: Regime;
}

/** Starts an anomaly; its id depends on entity, signal and start alone. */
export function openEpisode(episode: Episode, opening: Opening, finding: Finding): Anomaly {
  const { service, signal, step, startStep, horizon, stage, score, baseline, regime } = opening;
  episode.open = true;
  episode.horizon = horizon;
  episode.startStep = startStep;
  episode.firedStep = step;
  episode.calmSteps = 0;
  episode.evidence = finding.evidence;
  episode.course = createCourse();
  episode.anomaly = {
    id: hashId('an', service, signal, startStep),
    service,
    signal,
    state: 'firing',
    startedAt: timeOf(startStep),
    detectedAt: timeOf(step + 1),
    resolvedAt: null,
    stage,
    severity: finding.severity,
    score,
    rawScore: finding.rawScore,
    attribution: finding.attribution,
    window: windowOf(finding.window),
    baseline,
    incidentId: null,
    regime,
    newNormal: null,
    quiet: null,
  };
  return episode.anomaly;
}

function leadingRatio(attribution: readonly Attribution[]): number {
  const [lead] = attribution;
  if (!lead) return 1;
  const ratio = (lead.observed + 1e-9) / (lead.expected + 1e-9);
  return Math.min(MAX_RATIO, ratio >= 1 ? ratio : 1 / ratio);
}

/** Takes over a later finding when it is materially worse; returns whether it was. */
export function worsenEpisode(episode: Episode, finding: Finding, score: number): boolean {
  const { anomaly } = episode;
  if (!anomaly) return false;
  const worse = leadingRatio(finding.attribution) >= MATERIAL_RATIO * leadingRatio(anomaly.attribution);
  const order: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
  const graver = order.indexOf(finding.severity) > order.indexOf(anomaly.severity);
  if (!graver && !worse) return false;
  episode.evidence = Math.max(episode.evidence, finding.evidence);
  episode.anomaly = {
    ...anomaly,
    severity: graver ? finding.severity : anomaly.severity,
    score: Math.max(score, anomaly.score),
    rawScore: finding.rawScore ?? anomaly.rawScore,
    attribution: finding.attribution,
    window: windowOf(finding.window),
  };
  return true;
}

/** Changes what is said of an open anomaly beside its finding; returns whether anything did. */
export function amendEpisode(episode: Episode, changed: Partial<Pick<Anomaly, 'regime' | 'newNormal' | 'quiet'>>): boolean {
  const { anomaly } = episode;
  if (!anomaly) return false;
  const amended = { ...anomaly, ...changed };
  const same = (quiet: Quiet | null | undefined): boolean => (quiet ?? null) === null;
  if (
    amended.regime === anomaly.regime &&
    amended.newNormal === anomaly.newNormal &&
    same(amended.quiet) === same(anomaly.quiet)
  ) {
    return false;
  }
  episode.anomaly = amended;
  return true;
}

/** Counts calm steps; after enough of them the anomaly is resolved as of the first one, and returned. */
export function calmEpisode(episode: Episode, step: number): Anomaly | undefined {
  episode.calmSteps = isCalm(episode.persistence, episode.horizon) ? episode.calmSteps + 1 : 0;
  return episode.calmSteps >= CALM_STEPS ? closeEpisode(episode, step - episode.calmSteps + 1) : undefined;
}

/** Ends an anomaly as of the start of `step`. */
export function closeEpisode(episode: Episode, step: number): Anomaly | undefined {
  const { anomaly } = episode;
  Object.assign(episode, createEpisode());
  if (!anomaly) return undefined;
  const resolvedAt = timeOf(Math.max(step, Date.parse(anomaly.detectedAt) / SUB_WINDOW_MS));
  return { ...anomaly, state: 'resolved', resolvedAt };
}
