/**
 * Whether two entities live by the same traffic, from how their minutes move about their expectations. The correlation is
 * corrected for what counting noise takes from it (Spearman, "The proof and measurement of association between two things",
 * American Journal of Psychology 15, 1904), so that two quiet services are not called strangers for being noisy.
 */
export interface CoMovement {
  /** By minute modulo MEMORY: the minute, log(observed / expected), and the variance of that by counting alone. */
  minutes: Int32Array;
  moves: Float32Array;
  noise: Float32Array;
}

/** `unknown`: too little was seen together, or too little of it was more than noise. */
export type Kin = 'related' | 'unrelated' | 'unknown';

const MEMORY = 128;
/** At n pairs a correlation of nothing has a spread of 1 / sqrt(n): 0.15 here. */
const MIN_PAIRS = 45;
const SURE_SIGMAS = 4;
/** Part of a series' variance that must be more than counting noise. */
const MIN_RELIABILITY = 0.25;
/** More than a third of the movement shared; less than a tenth. */
const RELATED = 0.6;
const UNRELATED = 0.3;
const MAX_MOVE = 2;

export function createCoMovement(): CoMovement {
  return { minutes: new Int32Array(MEMORY).fill(-1), moves: new Float32Array(MEMORY), noise: new Float32Array(MEMORY) };
}

/** Adds an undisturbed minute, numbered since the epoch. */
export function recordMovement(state: CoMovement, minute: number, count: number, expected: number): void {
  const slot = minute % MEMORY;
  state.minutes[slot] = minute;
  state.moves[slot] = Math.max(-MAX_MOVE, Math.min(MAX_MOVE, Math.log((count + 1) / (expected + 1))));
  state.noise[slot] = 1 / (count + 1);
}

/** In base64. */
export function encodeMovement({ minutes, moves, noise }: CoMovement): string {
  const parts = [minutes, moves, noise].map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength));
  return Buffer.concat(parts).toString('base64');
}

/** Undefined when the text is no movement. */
export function decodeMovement(text: string): CoMovement | undefined {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  if (bytes.length !== 12 * MEMORY) return undefined;
  const { buffer } = bytes;
  return {
    minutes: new Int32Array(buffer, 0, MEMORY),
    moves: new Float32Array(buffer, 4 * MEMORY, MEMORY),
    noise: new Float32Array(buffer, 8 * MEMORY, MEMORY),
  };
}

function sharedMinutes(a: CoMovement, b: CoMovement): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < MEMORY; slot++) {
    if ((a.minutes[slot] as number) >= 0 && a.minutes[slot] === b.minutes[slot]) slots.push(slot);
  }
  return slots;
}

const meanOf = (values: Float32Array, slots: readonly number[]): number =>
  slots.reduce((sum, slot) => sum + (values[slot] as number), 0) / slots.length;

export function kinByMovement(a: CoMovement, b: CoMovement): Kin {
  const slots = sharedMinutes(a, b);
  if (slots.length < MIN_PAIRS) return 'unknown';
  const meanA = meanOf(a.moves, slots);
  const meanB = meanOf(b.moves, slots);
  let varianceA = 0;
  let varianceB = 0;
  let covariance = 0;
  for (const slot of slots) {
    const moveA = (a.moves[slot] as number) - meanA;
    const moveB = (b.moves[slot] as number) - meanB;
    varianceA += (moveA * moveA) / slots.length;
    varianceB += (moveB * moveB) / slots.length;
    covariance += (moveA * moveB) / slots.length;
  }
  const realA = varianceA - meanOf(a.noise, slots);
  const realB = varianceB - meanOf(b.noise, slots);
  if (!(realA > MIN_RELIABILITY * varianceA) || !(realB > MIN_RELIABILITY * varianceB)) return 'unknown';
  const raw = covariance / Math.sqrt(varianceA * varianceB);
  const corrected = covariance / Math.sqrt(realA * realB);
  if (corrected >= RELATED && raw * Math.sqrt(slots.length) >= SURE_SIGMAS) return 'related';
  return corrected < UNRELATED ? 'unrelated' : 'unknown';
}
