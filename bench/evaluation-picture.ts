import type { Span } from '../src/evaluate/protocol-episode.ts';

/** One tick of the series that is drawn; NaN = missing. */
export interface PictureTick {
  timeMs: number;
  observed: number;
  low: number;
  high: number;
  score: number;
  firing: boolean;
}

export interface Picture {
  title: string;
  subtitle: string;
  series: string;
  ticks: readonly PictureTick[];
  /** Stretches that are labelled as faulty. */
  faults: readonly Span[];
}

const WIDTH = 860;
const [LEFT, RIGHT] = [56, 846];
const VALUES = { top: 56, bottom: 240 };
const SCORES = { top: 262, bottom: 318 };
const HEIGHT = 352;
/** Ticks are drawn in at most so many columns: each the range of what lies in it. */
const COLUMNS = 395;
const CLEAREST_SCORE = 6;

const STYLE =
  'text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:14px}.s{fill:#57606a}.a{stroke:#8c959f;fill:none}' +
  '.b{fill:#0969da;fill-opacity:.16}.v{stroke:#24292f;fill:none;stroke-width:1.2}.f{fill:#bf8700;fill-opacity:.22}' +
  '.p{stroke:#8250df;fill:none}.x{fill:#cf222e}' +
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.v{stroke:#e6edf3}.b{fill:#4493f8;fill-opacity:.28}.p{stroke:#ab7df8}' +
  '.x{fill:#f85149}.f{fill:#d29922;fill-opacity:.3}}';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const px = (value: number): string => String(Math.round(value * 10) / 10);

interface Column {
  x: number;
  observed: readonly [low: number, high: number] | null;
  band: readonly [low: number, high: number] | null;
  score: number;
  firing: boolean;
}

function rangeOf(values: readonly number[]): readonly [number, number] | null {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? null : [Math.min(...known), Math.max(...known)];
}

function columnsOf(ticks: readonly PictureTick[]): Column[] {
  const perColumn = Math.max(1, Math.ceil(ticks.length / COLUMNS));
  const count = Math.ceil(ticks.length / perColumn);
  return Array.from({ length: count }, (_, i) => {
    const own = ticks.slice(i * perColumn, (i + 1) * perColumn);
    return {
      x: LEFT + ((RIGHT - LEFT) * (i + 0.5)) / count,
      observed: rangeOf(own.map(({ observed }) => observed)),
      band: rangeOf(own.flatMap(({ low, high }) => [low, high])),
      score: Math.max(...own.map(({ score }) => score)),
      firing: own.some(({ firing }) => firing),
    };
  });
}

/** A scale that shows all observed values, and of the band what is not absurdly far away. */
function valueScale(columns: readonly Column[]): { y: (value: number) => number; low: number; high: number } {
  const [least, most] = rangeOf(columns.flatMap(({ observed }) => observed ?? [])) ?? [0, 1];
  const reach = most - least || Math.abs(most) || 1;
  const bands = columns.flatMap(({ band }) => band ?? []).filter((value) => value > least - reach && value < most + reach);
  const [low, high] = rangeOf([...bands, least, most]) as readonly [number, number];
  const span = high - low || Math.abs(high) || 1;
  const y = (value: number): number => {
    const share = Math.max(-0.02, Math.min(1.02, (value - low) / span));
    return VALUES.bottom - share * (VALUES.bottom - VALUES.top);
  };
  return { y, low, high };
}

function line(points: readonly (readonly [x: number, y: number] | null)[]): string {
  let isOpen = false;
  return points
    .map((point) => {
      const text = point ? `${isOpen ? 'L' : 'M'}${px(point[0])} ${px(point[1])}` : '';
      isOpen = point !== null;
      return text;
    })
    .join('');
}

/** Expected bands of stretches without a gap, each a closed shape. */
function bandPath(columns: readonly Column[], y: (value: number) => number): string {
  const stretches: Column[][] = [];
  for (const [i, column] of columns.entries()) {
    if (!column.band) continue;
    if (i > 0 && columns[i - 1]?.band) stretches.at(-1)?.push(column);
    else stretches.push([column]);
  }
  return stretches
    .map((own) => {
      const high = own.map(({ x, band }): [number, number] => [x, y((band as [number, number])[1])]);
      const low = own.map(({ x, band }): [number, number] => [x, y((band as [number, number])[0])]);
      return `${line([...high, ...low.toReversed()])}Z`;
    })
    .join('');
}

const label = (value: number): string => {
  const text = Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(1) : value.toPrecision(3);
  return String(Number(text));
};

/** A small self-contained SVG that follows the reader's light or dark scheme. */
export function pictureSvg({ title, subtitle, series, ticks, faults }: Picture): string {
  const columns = columnsOf(ticks);
  const { y, low, high } = valueScale(columns);
  const [fromMs, toMs] = [ticks[0]?.timeMs ?? 0, ticks.at(-1)?.timeMs ?? 1];
  const x = (timeMs: number): number =>
    LEFT + (RIGHT - LEFT) * Math.max(0, Math.min(1, (timeMs - fromMs) / Math.max(1, toMs - fromMs)));
  const most = Math.max(CLEAREST_SCORE, ...columns.map(({ score }) => score));
  const scoreY = (score: number): number => SCORES.bottom - (score / most) * (SCORES.bottom - SCORES.top);
  const values = columns.flatMap(({ x: at, observed }) =>
    observed
      ? observed[0] === observed[1]
        ? [[at, y(observed[0])] as const]
        : observed.map((v) => [at, y(v)] as const)
      : [null],
  );
  const marks = columns.filter(({ firing }) => firing).map(({ x: at }) => `M${px(at - 1)} ${VALUES.bottom + 4}h2v8h-2z`);
  const zones = faults
    .filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs)
    .map(
      ({ startMs, endMs }) =>
        `<rect class="f" x="${px(x(startMs))}" y="${VALUES.top}" width="${px(Math.max(2, x(endMs) - x(startMs)))}" height="${SCORES.bottom - VALUES.top}"/>`,
    );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}"><style>${STYLE}</style>`,
    `<text class="t" x="${LEFT}" y="20">${escaped(title)}</text><text class="s" x="${LEFT}" y="40">${escaped(subtitle)}</text>`,
    ...zones,
    `<path class="b" d="${bandPath(columns, y)}"/><path class="v" d="${line(values)}"/><path class="x" d="${marks.join('')}"/>`,
    `<path class="p" d="${line(columns.map((column) => [column.x, scoreY(column.score)]))}"/>`,
    `<path class="a" d="M${LEFT} ${VALUES.top}V${VALUES.bottom}M${LEFT} ${SCORES.top}V${SCORES.bottom}H${RIGHT}"/>`,
    `<text class="s" text-anchor="end" x="${LEFT - 6}" y="${VALUES.top + 8}">${label(high)}</text>`,
    `<text class="s" text-anchor="end" x="${LEFT - 6}" y="${VALUES.bottom}">${label(low)}</text>`,
    `<text class="s" text-anchor="end" x="${LEFT - 6}" y="${SCORES.top + 8}">${label(most)}</text>`,
    `<text class="s" text-anchor="end" x="${LEFT - 6}" y="${SCORES.bottom}">0</text>`,
    `<text class="s" x="${LEFT}" y="${HEIGHT - 12}">line: ${escaped(series)}; blue: expected band; yellow: labelled as faulty; red: firing; violet: score of the entity, -log10 p</text>`,
    '</svg>',
  ].join('\n');
}
