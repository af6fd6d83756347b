import { isoTime } from '../../lib/clock.ts';
import type { Anomaly, Attribution, Severity } from '../../model/anomaly.ts';
import { addResidual, createResidualCourse, judgeCourse, type ResidualCourse } from '../alarm/regime.ts';
import { hashId } from '../identifier.ts';
import type { MetricVerdict, SeriesFinding } from '../metric-detector.ts';
import { scoreOf } from '../severity.ts';

/** The life of an entity's metric series between two quiet stretches. Plain data. */
export interface MetricEpisode {
  /** First tick of the stretch that deviates; NaN while nothing does. */
  sinceMs: number;
  /** Ticks without evidence in a row. */
  calmTicks: number;
  firstMs: number;
  anomaly: Anomaly | null;
  peak: number;
  /** Residuals of the leading series since it began. */
  course: ResidualCourse;
}

/** Evidence, -log10 p, of a tick that belongs to a deviation though it would not fire alone. */
const DEVIATING = 2;
const CALM_TICKS = 2;
const MAX_ATTRIBUTIONS = 8;
const MIN_SHARE = 0.05;
/** No single driver: the largest part is smaller than this. */
const MIN_LEADING_SHARE = 0.15;
const MATERIAL = 1.5;
const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high'];

export function createMetricEpisode(): MetricEpisode {
  return { sinceMs: NaN, calmTicks: 0, firstMs: NaN, anomaly: null, peak: 0, course: createResidualCourse() };
}

function attributionOf(findings: readonly SeriesFinding[]): Attribution[] {
  if (Math.abs(findings[0]?.share ?? 0) < MIN_LEADING_SHARE) return [];
  return findings
    .filter(({ share }) => Math.abs(share) >= MIN_SHARE)
    .slice(0, MAX_ATTRIBUTIONS)
    .map(({ series, observed, expected, low, high, share }) => ({
      feature: series,
      direction: observed >= expected ? 'up' : 'down',
      expected,
      low,
      high,
      observed,
      share: Math.abs(share),
    }));
}

/** By the effect on the leading series; a metric alone says nothing about who is hit, so it is never critical. */
function severityOf([lead]: readonly Attribution[]): Severity {
  if (!lead) return 'low';
  const base = Math.max(Math.abs(lead.expected), Math.abs(lead.high - lead.expected), 1e-12);
  const effect = Math.abs(lead.observed - lead.expected) / base;
  return SEVERITIES[effect >= 3 ? 2 : effect >= 0.5 ? 1 : 0] as Severity;
}

function describeBaseline(firstMs: number, sinceMs: number, stepMs: number): Anomaly['baseline'] {
  const every = stepMs >= 60_000 ? `${stepMs / 60_000} min` : `${stepMs / 1000} s`;
  return { from: isoTime(firstMs), to: isoTime(sinceMs), description: `its own history, a value every ${every}` };
}

function open(episode: MetricEpisode, verdict: MetricVerdict): Anomaly {
  const { entity, timeMs, stepMs, stage, score } = verdict;
  const attribution = attributionOf(verdict.findings);
  episode.peak = score;
  episode.anomaly = {
    id: hashId('an', entity, 'metric', episode.sinceMs),
    service: entity,
    signal: 'metric',
    state: 'firing',
    startedAt: isoTime(episode.sinceMs),
    detectedAt: isoTime(timeMs + stepMs),
    resolvedAt: null,
    stage,
    severity: severityOf(attribution),
    score: scoreOf(score),
    rawScore: null,
    attribution,
    window: { from: isoTime(timeMs), to: isoTime(timeMs + stepMs) },
    baseline: describeBaseline(episode.firstMs, episode.sinceMs, stepMs),
    incidentId: null,
    regime: judgeCourse(episode.course, stepMs).regime,
  };
  return episode.anomaly;
}

/** Takes over a later finding when it is materially worse, and how the deviation runs when that has changed. */
function goOn(episode: MetricEpisode, anomaly: Anomaly, verdict: MetricVerdict): Anomaly | undefined {
  const { regime } = judgeCourse(episode.course, verdict.stepMs);
  if (verdict.score >= MATERIAL * episode.peak) return worsen(episode, { ...anomaly, regime }, verdict);
  if (regime === anomaly.regime) return undefined;
  episode.anomaly = { ...anomaly, regime };
  return episode.anomaly;
}

function worsen(episode: MetricEpisode, anomaly: Anomaly, verdict: MetricVerdict): Anomaly {
  const attribution = attributionOf(verdict.findings);
  const severity = severityOf(attribution);
  const graver = SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(anomaly.severity);
  const { timeMs, stepMs, score } = verdict;
  episode.peak = score;
  episode.anomaly = {
    ...anomaly,
    severity: graver ? severity : anomaly.severity,
    score: Math.max(anomaly.score, scoreOf(score)),
    attribution,
    window: { from: isoTime(timeMs), to: isoTime(timeMs + stepMs) },
  };
  return episode.anomaly;
}

/** Goes on with the next verdict of the entity; returns its anomaly when that opened, got worse, or ended. */
export function followVerdict(episode: MetricEpisode, verdict: MetricVerdict): Anomaly | undefined {
  const { timeMs, score, firing } = verdict;
  if (Number.isNaN(episode.firstMs)) episode.firstMs = timeMs;
  if (score >= DEVIATING) {
    if (Number.isNaN(episode.sinceMs)) episode.sinceMs = timeMs;
    episode.calmTicks = 0;
  } else if (++episode.calmTicks >= CALM_TICKS && !episode.anomaly) episode.sinceMs = NaN;
  const { anomaly } = episode;
  if (firing) {
    if (Number.isNaN(episode.sinceMs)) episode.sinceMs = timeMs;
    addResidual(episode.course, verdict.findings[0]?.residual ?? 0);
    return anomaly ? goOn(episode, anomaly, verdict) : open(episode, verdict);
  }
  return anomaly ? endEpisode(episode, timeMs) : undefined;
}

/** Ends what is open as of `atMs`. */
export function endEpisode(episode: MetricEpisode, atMs: number): Anomaly | undefined {
  const { anomaly } = episode;
  episode.anomaly = null;
  episode.sinceMs = NaN;
  episode.course = createResidualCourse();
  if (!anomaly) return undefined;
  return { ...anomaly, state: 'resolved', resolvedAt: isoTime(Math.max(atMs, Date.parse(anomaly.detectedAt))) };
}
