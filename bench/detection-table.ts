import type { StreamResult } from './detection-run.ts';
import type { DetectionSummary, Estimate, Row } from './detection-summary.ts';

const seconds = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : '-');
const HEADER = ['', 'faults', 'found', 'median s', 'p90 s', 'root 1st', '.. at once', '.. in 3'];

function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${row.faults}`,
    `${row.found}`,
    seconds(row.medianSeconds),
    seconds(row.p90Seconds),
    `${row.lastRight}`,
    `${row.firstRight}`,
    `${row.lastInThree}`,
  ]);
  return [HEADER, ...cells]
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(54) : cell.padStart(11))).join(''))
    .join('\n');
}

function percent({ value, interval: [low, high] }: Estimate): string {
  return `${(100 * value).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

function rate({ value, interval: [low, high] }: Estimate): string {
  return `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

/** The summary as text; "-" is a miss. Intervals are 95 %. */
export function summaryText(summary: DetectionSummary): string {
  return [
    tableOf([...summary.byKind, summary.total]),
    `by the largest effect at the root\n${tableOf(summary.byStrength)}`,
    `by the effect after 15 s\n${tableOf(summary.byOnset)}`,
    `by quantile of the effect in its kind\n${tableOf(summary.bySize)}`,
    `by usual traffic of the root\n${tableOf(summary.byTraffic)}`,
    `by usual traffic of the root, >= 5x errors or >= 2x p95 after 15 s\n${tableOf(summary.byTrafficOfStrong)}`,
    [
      'harmless, happened, false incidents then',
      ...summary.byBenign.map(
        (row) => `${row.kind.padEnd(22)}${String(row.happened).padStart(6)}${String(row.false).padStart(6)}`,
      ),
    ].join('\n'),
    [
      `precision ${percent(summary.precision)}, recall ${percent(summary.recall)}, F1 ${percent(summary.f1)}`,
      `root first among causes: AC@1 ${percent(summary.lastAc1)}, when opened ${percent(summary.firstAc1)}, AC@3 ${percent(summary.lastAc3)}`,
      `missed because the incident of an earlier fault went on: ${summary.hidden}`,
      `false incidents ${summary.falseIncidents}: ${rate(summary.falsePerServiceDay)} per service-day, ${rate(summary.falsePerSystemDay)} per system-day; false episodes ${rate(summary.falseEpisodesPerServiceDay)} per service-day`,
      `incidents per matched fault ${summary.incidentsPerMatch.toFixed(2)} (above 1.2 is a failure), as HELIOS groups them ${summary.ownIncidentsPerMatch.toFixed(2)}`,
      `${summary.total.faults} faults, ${summary.serviceDays.toFixed(0)} service-days scored, ${summary.events} events`,
    ].join('\n'),
  ].join('\n\n');
}

/** Every missed fault and false incident of a stream, a line each. */
export function detailText({ seed, faults, falseIncidents }: StreamResult): string {
  const missed = faults.map(({ label, found, delaySeconds, lastRank, hiddenByHours }) => {
    const what = found
      ? `${delaySeconds} s, root at rank ${lastRank}`
      : hiddenByHours === null
        ? 'MISSED'
        : `MISSED, in the incident of an earlier fault, open for ${hiddenByHours} h`;
    const lengthMinutes = ((Date.parse(label.end) - Date.parse(label.start)) / 60_000).toFixed(0);
    const { size, eventsPerSecond } = label.effect;
    return `seed ${seed}: ${label.start.slice(0, 16)} ${label.kind} ${label.service} ${lengthMinutes} min, ${eventsPerSecond}/s, size ${size.toFixed(2)}, onset ${JSON.stringify(label.ratio?.onset)}, peak ${JSON.stringify(label.ratio?.peak)}: ${what}`;
  });
  const wrong = falseIncidents.map(
    ({ at, services, signals, title, benign, minutesAfterFault, lastFault }) =>
      `seed ${seed}: FALSE ${at.slice(0, 16)} ${services.join(' ')} [${signals.join(' ')}] during ${benign.join(' ') || 'nothing'}, ${minutesAfterFault ?? '-'} min after ${lastFault ?? 'no fault'}: ${title}`,
  );
  return [...missed, ...wrong].map((line) => `${line}\n`).join('');
}
