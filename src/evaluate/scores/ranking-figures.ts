import type { Prng } from '../../lib/prng.ts';
import { meanFigure, meanOf, type Figure } from '../figure.ts';

/** AC@1, AC@3 and Avg@5 from the credits AC@1..AC@5 of each fault. */
export function rankingFigures(prefix: string, credits: readonly (readonly number[])[], prng: Prng): Figure[] {
  if (credits.length === 0) return [];
  return [
    meanFigure(
      `${prefix}: AC@1`,
      credits.map((own) => own[0] as number),
      'faults',
      prng,
    ),
    meanFigure(
      `${prefix}: AC@3`,
      credits.map((own) => own[2] as number),
      'faults',
      prng,
    ),
    meanFigure(`${prefix}: Avg@5`, credits.map(meanOf), 'faults', prng),
  ];
}
