import type { Simulations } from '../../console/dependencies.ts';
import { HeliosError } from '../../lib/errors.ts';

/** Simulations replay the embedded log; over topics there are none. */
export const NO_SIMULATIONS: Simulations = {
  create() {
    throw new HeliosError(
      'unavailable',
      'cannot simulate: simulations need embedded storage; replay the events into one (helios replay)',
    );
  },
  get: () => undefined,
  list: () => [],
  cancel: () => Promise.resolve(undefined),
};
