import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';

/** Runs store queries under one time limit. */
export type Deadline = <T>(query: Promise<T>) => Promise<T>;

/** The limit in milliseconds, Infinity for none. A query that takes longer rejects with `unavailable`; its result is dropped. */
export function createDeadline(clock: Clock, limitMs: number): Deadline {
  if (limitMs === Infinity) return (query) => query;
  return <T>(query: Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      const cancel = clock.after(limitMs, () => {
        const message = `cannot answer the query: it took longer than ${limitMs} ms; ask for a shorter range`;
        reject(new HeliosError('unavailable', message, { details: { retryAfterSeconds: 5 } }));
      });
      query.finally(cancel).then(resolve, reject);
    });
}
