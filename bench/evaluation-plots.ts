import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { detectConfigSchema } from '../src/detect/config.ts';
import { createMetricDetector } from '../src/detect/metric-engine.ts';
import { detectSeries } from '../src/evaluate/detection-job.ts';
import type { EvaluatedStream } from '../src/evaluate/evaluated-stream.ts';
import { evaluateFolder } from '../src/evaluate/evaluation.ts';
import { faultySpans, type AnyTruth } from '../src/evaluate/faulty-spans.ts';
import { findSets } from '../src/evaluate/folder.ts';
import { sampleStepMs } from '../src/evaluate/telemetry.ts';
import { isoTime } from '../src/lib/clock.ts';
import { chooseCases, type CaseKind, type PlottedCase } from './evaluation-cases.ts';
import { withParts, writeSection } from './evaluation-document.ts';
import { pictureSvg, type PictureTick } from './evaluation-picture.ts';

/**
 * Plots of a hit, a miss and a false alarm of each set, chosen by rule (evaluation-cases.ts), into docs/evaluation and EVALUATION.md:
 *
 *     node bench/evaluation-plots.ts DIR [--sets nab,asd] [--write]
 *
 * Sets whose folders name a resource of a service are left out: the licence of the one that is public is unstated.
 */
const UNLICENSED = 'resource cases';
const OUT = join(import.meta.dirname, '..', 'docs', 'evaluation');
const SEED = 1;
const DAY_MS = 86_400_000;
const CONTEXT_SAMPLES = 150;
const CONTEXT_SHARE = 1;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { sets: { type: 'string', default: '' }, write: { type: 'boolean', default: false } },
});

/** The detector says the same again; this time the band of one series is written down. */
function ticksOf({ stream, verdicts, series, span }: PlottedCase): PictureTick[] {
  const table = stream.telemetry.tables.find(({ entity }) => entity === verdicts.entity);
  const contextMs =
    CONTEXT_SAMPLES * sampleStepMs(table?.timeMs ?? verdicts.timeMs) + CONTEXT_SHARE * (span.endMs - span.startMs);
  const [fromMs, toMs] = [span.startMs - contextMs, span.endMs + contextMs];
  const ticks: PictureTick[] = [];
  const falseAlarmBudget = detectConfigSchema.parse({}).false_alarm_budget;
  detectSeries(
    stream.telemetry,
    (options) =>
      createMetricDetector({
        ...options,
        onVerdict: (verdict) => {
          const { entity, timeMs, score, firing } = verdict;
          if (entity !== verdicts.entity || timeMs < fromMs || timeMs > toMs) return;
          const finding = verdict.findings.find((own) => own.series === series);
          const { observed = NaN, low = NaN, high = NaN } = finding ?? {};
          ticks.push({ timeMs, observed, low, high, score: Number.isFinite(score) ? score : 0, firing });
        },
      }),
    { seed: SEED, falseAlarmBudget },
  );
  return ticks;
}

function duration(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function subtitleOf({ kind, stream, span, delayMs, verdicts }: PlottedCase): string {
  const date = isoTime(span.startMs).slice(0, 16).replace('T', ' ');
  // A recording without a calendar counts from 0.
  const from = span.startMs < 365 * DAY_MS ? `day ${Math.floor(span.startMs / DAY_MS)}${date.slice(10)}` : date;
  const what =
    kind === 'hit'
      ? `fires ${duration(delayMs)} after the label begins`
      : kind === 'miss'
        ? 'nothing fires in its zone'
        : 'fires outside of all labels';
  const place = stream.name === verdicts.entity ? stream.name : `${stream.name}, ${verdicts.entity}`;
  return `${place}, ${from}, ${duration(span.endMs - span.startMs)} long: ${what}`;
}

/** Markdown of the plots of one set. */
function plot(set: string, streams: readonly EvaluatedStream<AnyTruth>[]): string {
  const cases = chooseCases(streams);
  const fileOf = (kind: CaseKind): string => `${set}-${kind.replace(' ', '-')}.svg`;
  const links = cases.map((own) => {
    const title = `${set}: ${own.kind}`;
    const subtitle = subtitleOf(own);
    const ticks = ticksOf(own);
    const svg = pictureSvg({ title, subtitle, series: own.series, ticks, faults: faultySpans(own.stream) });
    const file = fileOf(own.kind);
    writeFileSync(join(OUT, file), svg);
    process.stderr.write(`${file}: ${svg.length} bytes, ${ticks.length} ticks; ${subtitle}\n`);
    return `![${title}: ${subtitle}](docs/evaluation/${file})`;
  });
  const missing = (['hit', 'miss', 'false alarm'] as const).filter((kind) => cases.every((own) => own.kind !== kind));
  for (const kind of missing) rmSync(join(OUT, fileOf(kind)), { force: true });
  return [...links, ...(missing.length > 0 ? [`There is no ${missing.join(' and no ')}.`] : [])].join('\n\n');
}

const folder = positionals[0];
if (folder === undefined) {
  process.stderr.write('name a folder of labelled sets\n');
  process.exitCode = 2;
} else {
  mkdirSync(OUT, { recursive: true });
  const wanted = flags.sets.split(',');
  const sections = new Map<string, string>();
  for (const set of findSets(folder)) {
    if (set.layout === UNLICENSED || !wanted.some((beginning) => set.name.startsWith(beginning))) continue;
    const streams: EvaluatedStream<AnyTruth>[] = [];
    const onStream = (_: string, stream: EvaluatedStream<unknown>): void =>
      void streams.push(stream as EvaluatedStream<AnyTruth>);
    await evaluateFolder({ folder: set.folder, detector: 'helios', seed: SEED, threads: 1, onStream });
    if (streams.length > 0) sections.set(set.name, plot(set.name, streams));
  }
  if (flags.write) writeSection('plots', (before) => withParts(before, sections));
}
