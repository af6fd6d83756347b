import { isoTime } from '../lib/clock.ts';
import type { Anomaly, Attribution } from '../model/anomaly.ts';
import { unitOf } from '../model/rollup.ts';

function formatValue({ feature }: Attribution, value: number): string {
  if (unitOf(feature) === 'ratio') return `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`;
  return `${Number(value.toPrecision(4)).toLocaleString('en')} ${unitOf(feature)}`.trimEnd();
}

/** An anomaly as a person wants to read it the moment it fires; `sinceFaultMs` is the time from the fault to now. */
export function describeAnomaly(anomaly: Anomaly, sinceFaultMs: number): string {
  const lines = anomaly.attribution.map(
    (item) =>
      `    ${item.feature} ${formatValue(item, item.observed)}, expected ${formatValue(item, item.expected)} (${item.direction})`,
  );
  const raw = anomaly.rawScore === null ? '' : `, forest score ${anomaly.rawScore.toFixed(3)}`;
  return [
    '',
    `ANOMALY  ${anomaly.service}: ${anomaly.signal}, severity ${anomaly.severity}, score ${anomaly.score.toFixed(2)}${raw}`,
    ...(lines.length > 0 ? lines : ['    no single feature drives it']),
    `    since ${anomaly.startedAt}, seen at ${isoTime(Date.parse(anomaly.detectedAt))}: ${(sinceFaultMs / 1000).toFixed(1)} s after the first bad event was due`,
  ].join('\n');
}
