import type { Clock } from '../lib/clock.ts';

/** How long a report waits for evidence that it can do without. */
const PATIENCE_MS = 250;

/** Lets evidence from raw events, the one slow source, be left out instead of holding a report up. */
export type Patience = <T>(optional: Promise<T>) => Promise<T | undefined>;

/** Undefined when the answer takes longer than `PATIENCE_MS` or fails: the report then says less, and the next one may say more. */
export function createPatience(clock: Clock): Patience {
  return (optional) =>
    new Promise((resolve) => {
      const cancel = clock.after(PATIENCE_MS, () => resolve(undefined));
      const settle = <T>(value: T): T => {
        cancel();
        return value;
      };
      optional.then(
        (value) => resolve(settle(value)),
        () => resolve(settle(undefined)),
      );
    });
}
