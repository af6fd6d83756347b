import type { Figure } from '../src/evaluate/figure.ts';
import { forestRows, MEASURE_ROWS, type Anchor, type MeasureRow } from './evaluation-anchors.ts';
import { joinSets, poolSeeds, type PooledFigure } from './evaluation-pooling.ts';
import type { EvaluationRecord } from './evaluation-record.ts';

const BASELINES = ['n-sigma', 'forest', 'pca'] as const;
const HEAD = ['set', 'measure', 'HELIOS', '95 %', 'over seeds', 'n', ...BASELINES, 'others', 'aim'];

export function shownNumber(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (!Number.isFinite(value)) return 'never';
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 3);
}

/** `[oracle]`: with a threshold that was picked with the labels. */
const shownAnchor = ({ method, value, on, oracle }: Anchor): string =>
  `${shownNumber(value)} ${method} [${on === 'these files' ? 'measured on these files' : 'published, whole set'}${oracle ? ', oracle' : ''}]`;

/** A gain counts only when the whole interval lies beyond the aim. */
function shownAim(aim: MeasureRow['aim'], figure: PooledFigure | undefined): string {
  if (!aim) return '';
  const verdict = (reached: boolean, surely: boolean): string =>
    reached ? (surely ? 'reached' : 'reached, not surely') : 'missed';
  const { value = NaN, low = NaN, high = NaN } = figure ?? {};
  if (aim.sense === 'within') {
    const isWithin = (other: number): boolean => Math.abs(other - aim.of) <= aim.value;
    return `within ${aim.value} of ${aim.of}: ${figure ? verdict(isWithin(value), isWithin(low) && isWithin(high)) : 'not measured'}`;
  }
  const [sign, reached, surely] =
    aim.sense === 'at least'
      ? (['≥', value >= aim.value, low >= aim.value] as const)
      : (['≤', value <= aim.value, high <= aim.value] as const);
  return `${sign} ${aim.value}: ${figure ? verdict(reached, surely) : 'not measured'}`;
}

/** Figures of a measure of one detector: one a seed, sets pooled. A seed that lacks a set is left out. */
function pooled(
  { runs }: EvaluationRecord,
  detector: string,
  sets: readonly string[],
  measure: string,
): PooledFigure | undefined {
  const bySeed = new Map<number, Figure[]>();
  for (const run of runs) {
    if (run.detector !== detector || !sets.includes(run.set)) continue;
    const figure = run.report?.figures.find((own) => own.measure === measure);
    if (figure) bySeed.set(run.seed, [...(bySeed.get(run.seed) ?? []), figure]);
  }
  const whole = [...bySeed.values()].filter((figures) => figures.length === sets.length);
  return poolSeeds(whole.flatMap((figures) => joinSets(figures) ?? []));
}

function cellsOf(record: EvaluationRecord, { sets, measure, name, aim, anchors = [] }: MeasureRow): string[] {
  const own = pooled(record, 'helios', sets, measure);
  const others = BASELINES.map((baseline) => shownNumber(pooled(record, baseline, sets, measure)?.value ?? NaN));
  const spread = own && own.seeds > 1 ? `${shownNumber(own.smallest)} to ${shownNumber(own.largest)}` : '';
  const interval = own && !Number.isNaN(own.low) ? `${shownNumber(own.low)} to ${shownNumber(own.high)}` : '';
  const count = own ? `${own.n} ${own.of}` : '';
  const set = sets.length > 1 ? `${sets[0]} and ${sets.length - 1} more` : (sets[0] as string);
  const value = own ? shownNumber(own.value) : 'not measured';
  return [
    set,
    name ?? measure,
    value,
    interval,
    spread,
    count,
    ...others,
    anchors.map(shownAnchor).join('; '),
    shownAim(aim, own),
  ];
}

/** Rows to show: those that are listed, those of forests, and all measures of sets that are not known. */
function rowsOf({ runs }: EvaluationRecord, isFull: boolean): MeasureRow[] {
  const names = [...new Set(runs.map(({ set }) => set))];
  const known = MEASURE_ROWS.filter(({ sets }) => sets.every((set) => names.includes(set)));
  const listed = new Set(known.map(({ sets, measure }) => `${sets.join()} ${measure}`));
  const rest = names.flatMap((set): MeasureRow[] => {
    const figures = runs.find((run) => run.set === set && run.report)?.report?.figures ?? [];
    const tables = figures.flatMap(({ measure }) => (measure.endsWith(': AUROC') ? [measure.slice(0, -': AUROC'.length)] : []));
    if (tables.length > 0) return forestRows(set, tables);
    const isKnown = known.some(({ sets }) => sets.includes(set));
    const all = figures.map(({ measure }) => ({ sets: [set], measure }));
    return isKnown && !isFull ? [] : all.filter(({ measure }) => !listed.has(`${set} ${measure}`));
  });
  return [...known, ...rest];
}

const asMarkdown = (lines: readonly (readonly string[])[]): string => {
  const [head = [], ...rows] = lines;
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
};

function asText(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] as string[]).map((_, i) => Math.max(...lines.map((cells) => (cells[i] as string).length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The table of a record, then what failed. `isFull`: every measure, not only the listed ones. */
export function evaluationTable(record: EvaluationRecord, options: { isMarkdown: boolean; isFull: boolean }): string {
  const lines = [HEAD, ...rowsOf(record, options.isFull).map((row) => cellsOf(record, row))];
  const failed = record.runs.flatMap(({ detector, seed, set, error }) =>
    error === undefined ? [] : [`Failed: ${detector} with seed ${seed} on ${set}: ${error}`],
  );
  return [options.isMarkdown ? asMarkdown(lines) : asText(lines), ...failed].join('\n\n');
}
