import type { Aggregation } from '../metric-detector.ts';
import { estimateGrid, tickEnd, tickOf, type TickGrid } from './step-estimate.ts';

/** Values of an entity's series in one tick, by index of the series; NaN where there is none. */
export interface TickRow {
  tick: number;
  /** Stamp of the earliest point. */
  timeMs: number;
  values: Float64Array;
}

interface OpenTick {
  timeMs: number;
  points: number;
  values: number[];
  counts: number[];
}

interface Point {
  series: number;
  timeMs: number;
  value: number;
  aggregation: Aggregation;
}

/** Stamps of one series from which the grid is found. */
const STAMPS_FOR_GRID = 6;
/** Points kept while the grid is not known; beyond it the grid is taken from what there is. */
const MAX_EARLY_POINTS = 4096;
const MAX_OPEN_TICKS = 16;

/** Points of one entity, gathered into rows on a grid that is found from the first stamps. Plain data. */
export interface TickRowsState {
  grid: TickGrid | null;
  early: Point[];
  /** Distinct stamps of the series that came first. */
  stamps: number[];
  open: Map<number, OpenTick>;
  /** Last tick that was closed. */
  closed: number;
  /** Most points of the ticks closed last: a tick with as many is complete. */
  usualPoints: number;
  latePoints: number;
}

export function createTickRows(): TickRowsState {
  return { grid: null, early: [], stamps: [], open: new Map(), closed: -Infinity, usualPoints: 0, latePoints: 0 };
}

export function addPoint(state: TickRowsState, series: number, timeMs: number, value: number, aggregation: Aggregation): void {
  if (Number.isNaN(value)) return;
  if (state.grid) {
    place(state, state.grid, { series, timeMs, value, aggregation });
    return;
  }
  state.early.push({ series, timeMs, value, aggregation });
  if (series === 0 && (state.stamps.length === 0 || timeMs > (state.stamps.at(-1) as number))) state.stamps.push(timeMs);
  if (state.stamps.length >= STAMPS_FOR_GRID || state.early.length >= MAX_EARLY_POINTS) findGrid(state);
}

function findGrid(state: TickRowsState): void {
  const stamps =
    state.stamps.length >= 2 ? state.stamps : [...new Set(state.early.map((point) => point.timeMs))].sort((a, b) => a - b);
  if (stamps.length < 2) {
    state.early.splice(0, state.early.length >> 1);
    return;
  }
  state.grid = estimateGrid(stamps);
  for (const point of state.early) place(state, state.grid, point);
  state.early = [];
  state.stamps = [];
}

function place(state: TickRowsState, grid: TickGrid, { series, timeMs, value, aggregation }: Point): void {
  const tick = tickOf(grid, timeMs);
  if (tick <= state.closed) {
    state.latePoints++;
    return;
  }
  let row = state.open.get(tick);
  if (!row) state.open.set(tick, (row = { timeMs, points: 0, values: [], counts: [] }));
  row.timeMs = Math.min(row.timeMs, timeMs);
  row.points++;
  const count = row.counts[series] ?? 0;
  const before = row.values[series] ?? 0;
  row.counts[series] = count + 1;
  if (count === 0 || aggregation === 'last') row.values[series] = value;
  else row.values[series] = aggregation === 'sum' ? before + value : before + (value - before) / (count + 1);
}

/** A tick that had more points than usual raises what is usual at once; fewer lower it slowly. */
function learnUsual(state: TickRowsState, points: number): void {
  state.usualPoints = points >= state.usualPoints ? points : Math.max(points, state.usualPoints - 1);
}

/**
 * Closes ticks that are complete or end at or before `untilMs`, in order, and gives each that has points to `onRow`, whose values hold
 * `seriesCount` entries and are overwritten by the next one. More than 16 open ticks are too many: the earliest close whatever the
 * time is.
 */
export function closeTicks(state: TickRowsState, untilMs: number, seriesCount: number, onRow: (row: TickRow) => void): void {
  const { grid, open } = state;
  if (!grid || open.size === 0) return;
  const ticks = open.size === 1 ? [...open.keys()] : [...open.keys()].sort((a, b) => a - b);
  let values: Float64Array | undefined;
  for (const [i, tick] of ticks.entries()) {
    const { timeMs, points, values: seen } = open.get(tick) as OpenTick;
    const isLast = i === ticks.length - 1;
    const isComplete = state.usualPoints > 0 && points >= state.usualPoints;
    const isOver = tickEnd(grid, tick) <= untilMs || ticks.length - i > MAX_OPEN_TICKS;
    if (!isOver && !(isLast && isComplete)) return;
    values ??= new Float64Array(seriesCount);
    for (let series = 0; series < seriesCount; series++) values[series] = seen[series] ?? NaN;
    open.delete(tick);
    state.closed = tick;
    learnUsual(state, points);
    onRow({ tick, timeMs, values });
  }
}
