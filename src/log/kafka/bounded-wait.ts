import type { Clock } from '../../lib/clock.ts';

/** Whether `ending` resolved within `limitMs`; no timer is left behind. Rejects when it rejects in time. */
export async function endsWithin(clock: Clock, limitMs: number, ending: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const stopTimer = clock.after(limitMs, () => resolve(false));
  try {
    return await Promise.race([ending.then(() => true), late]);
  } finally {
    stopTimer();
  }
}
