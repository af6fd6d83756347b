/** The latest episodes of an entity, oldest first; the last one may be going on. Plain data, at most `MAX_EPISODES`. */
export interface EpisodeHabits {
  startsMs: number[];
  kinds: string[];
  peaks: number[];
}

const MAX_EPISODES = 64;
const DAY_MS = 86_400_000;
/** Days back in which an episode counts as habit, and on how many different ones of them it must have come. */
const WITHIN_DAYS = 14;
const ON_DAYS = 2;
/** A habit that is this much stronger than its usual peak is news. */
const WORSE = 1.5;

export function createEpisodeHabits(): EpisodeHabits {
  return { startsMs: [], kinds: [], peaks: [] };
}

/** Notes that an episode begins. */
export function noteEpisode(habits: EpisodeHabits, startMs: number, kind: string, score: number): void {
  habits.startsMs.push(startMs);
  habits.kinds.push(kind);
  habits.peaks.push(score);
  if (habits.startsMs.length <= MAX_EPISODES) return;
  habits.startsMs.shift();
  habits.kinds.shift();
  habits.peaks.shift();
}

/** The episode that goes on has reached `score`. */
export function updatePeak(habits: EpisodeHabits, score: number): void {
  const last = habits.peaks.length - 1;
  habits.peaks[last] = Math.max(habits.peaks[last] as number, score);
}

/** Whether `score` is clearly above all that the latest episode has reached. */
export const isWorse = (habits: EpisodeHabits, score: number): boolean => score > WORSE * (habits.peaks.at(-1) as number);

/**
 * Whether the latest episode is frequent and not worse: its kind came on several earlier days, as strong or nearly so. Several on one
 * day are one trouble, not a habit.
 */
export function isHabit(habits: EpisodeHabits): boolean {
  const last = habits.startsMs.length - 1;
  const startMs = habits.startsMs[last] as number;
  const days = new Set<number>();
  const peaks: number[] = [];
  for (let index = 0; index < last; index++) {
    const daysAgo = Math.floor((startMs - (habits.startsMs[index] as number)) / DAY_MS + 0.5);
    if (habits.kinds[index] !== habits.kinds[last] || daysAgo < 1 || daysAgo > WITHIN_DAYS) continue;
    days.add(daysAgo);
    peaks.push(habits.peaks[index] as number);
  }
  if (days.size < ON_DAYS) return false;
  peaks.sort((a, b) => a - b);
  return (habits.peaks[last] as number) <= WORSE * (peaks[peaks.length >> 1] as number);
}
