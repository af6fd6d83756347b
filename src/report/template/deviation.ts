import type { AnomalyFacts, FeatureFacts } from '../evidence-anomalies.ts';
import { SIGNAL_WORDS, duration, featureWords, featureValue, times } from './wording.ts';
import { at } from './writing.ts';
import type { Writing } from './writing.ts';

/** "failing more than usual", by signal and, for traffic, by direction. */
export function signalWords({ anomaly }: AnomalyFacts): string {
  const direction = anomaly.attribution[0]?.direction;
  if (anomaly.signal === 'traffic' && direction) return `getting ${direction === 'up' ? 'more' : 'less'} traffic than usual`;
  return SIGNAL_WORDS[anomaly.signal];
}

/** ", 58 times as much", or how far below it. */
export function ratioWords({ attribution, ratio }: Pick<FeatureFacts, 'attribution' | 'ratio'>): string {
  if (ratio === undefined) return '';
  return attribution.direction === 'up' ? `, ${times(ratio.value)} as much` : `, ${times(ratio.value)} less`;
}

/** "error rate 23.1 % in the 5 min to 10:34:00, expected 0.4 %, 58 times as much (E1, E2)". */
export function deviationLine(writing: Writing, feature: FeatureFacts): string {
  const { attribution, observed, expected, ratio } = feature;
  const name = attribution.feature;
  const fromMs = Date.parse(observed.from);
  const toMs = Date.parse(observed.to);
  const window = `in the ${duration(toMs - fromMs)} to ${at(writing, toMs)}`;
  const values = `${featureValue(name, observed.value)} ${window}, expected ${featureValue(name, expected.value)}`;
  // For counts the unit already names the feature.
  const label = name === 'event_count' ? '' : `${featureWords(name)} `;
  return `${label}${values}${ratioWords(feature)}${writing.evidence.ref(observed, expected, ratio)}`;
}
