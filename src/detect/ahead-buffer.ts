/**
 * Events far ahead of everything else, held back until it is clear whether the data jumped (a gap in a replay) or one
 * host's clock is wrong. Columns, bounded. Used when time advances with the data; else arrival bounds it.
 */
export interface AheadBuffer {
  time: number[];
  entity: string[];
  endpoint: number[];
  level: number[];
  latency: number[];
  isLog: boolean[];
  weight: number[];
  /** Calls in a row that brought only such events, and events since the last one that was on time. */
  calls: number;
  run: number;
}

export const AHEAD_MS = 60_000;
const MAX_HELD = 20_000;
const MIN_RUN = 8;
const MIN_CALLS = 3;
const MIN_ENTITIES = 2;

export function createAheadBuffer(): AheadBuffer {
  return { time: [], entity: [], endpoint: [], level: [], latency: [], isLog: [], weight: [], calls: 0, run: 0 };
}

export interface HeldEvent {
  time: number;
  entity: string;
  endpoint: number;
  level: number;
  latency: number;
  isLog: boolean;
  weight: number;
}

/** Returns false when the buffer is full: the event is then dropped. */
export function holdAhead(state: AheadBuffer, event: HeldEvent): boolean {
  state.run++;
  if (state.time.length >= MAX_HELD) return false;
  state.time.push(event.time);
  state.entity.push(event.entity);
  state.endpoint.push(event.endpoint);
  state.level.push(event.level);
  state.latency.push(event.latency);
  state.isLog.push(event.isLog);
  state.weight.push(event.weight);
  return true;
}

/** Whether the data as a whole has jumped: nothing on time any more, from more than one service or for several calls. */
export function hasJumped(state: AheadBuffer, knownEntities: number): boolean {
  if (state.time.length === 0) return false;
  if (state.calls >= MIN_CALLS) return true;
  if (state.run < MIN_RUN) return false;
  return new Set(state.entity).size >= Math.min(MIN_ENTITIES, knownEntities);
}

/** Takes out, oldest first, every held event not later than `limitMs`. */
export function releaseUntil(state: AheadBuffer, limitMs: number): HeldEvent[] {
  const released: HeldEvent[] = [];
  const kept = createAheadBuffer();
  for (let i = 0; i < state.time.length; i++) {
    const target = (state.time[i] as number) <= limitMs ? undefined : kept;
    const event = {
      time: state.time[i] as number,
      entity: state.entity[i] as string,
      endpoint: state.endpoint[i] as number,
      level: state.level[i] as number,
      latency: state.latency[i] as number,
      isLog: state.isLog[i] as boolean,
      weight: state.weight[i] as number,
    };
    if (target) holdAhead(target, event);
    else released.push(event);
  }
  Object.assign(state, kept, { calls: state.calls, run: Math.min(state.run, kept.time.length) });
  return released.sort((a, b) => a.time - b.time);
}

/** End of the first stretch of held events without a jump of its own, ms. */
export function jumpTarget(state: AheadBuffer): number {
  const times = [...state.time].sort((a, b) => a - b);
  let end = times[0] as number;
  for (const time of times) {
    if (time - end > AHEAD_MS) break;
    end = time;
  }
  return end;
}
