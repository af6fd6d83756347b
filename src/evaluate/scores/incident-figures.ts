import type { Prng } from '../../lib/prng.ts';
import { quantileFigure, rateFigure, ratioFigure, shareFigure, type Figure } from '../figure.ts';
import type { Matching } from '../protocol-matching.ts';

const DAY_MS = 86_400_000;

type Outcome = 'matched' | 'missed' | 'false';

const count = (outcomes: readonly Outcome[], wanted: Outcome): number => outcomes.filter((outcome) => outcome === wanted).length;

/** Items 6 and 7 of the protocol over the systems of a set. */
export function incidentFigures(matchings: readonly Matching[], prng: Prng, prefix = 'incident'): Figure[] {
  const outcomes = matchings.flatMap(({ pairs, falseIncidents }) => [
    ...pairs.map(({ incident }): Outcome => (incident ? 'matched' : 'missed')),
    ...falseIncidents.map((): Outcome => 'false'),
  ]);
  const [matched, missed, wrong] = [count(outcomes, 'matched'), count(outcomes, 'missed'), count(outcomes, 'false')];
  const delays = matchings.flatMap(({ pairs }) => pairs.map(({ delayMs }) => delayMs / 1000));
  const days = matchings.reduce((sum, { normalMs }) => sum + normalMs, 0) / DAY_MS;
  const duplicates = matchings.reduce((sum, own) => sum + own.duplicates, 0);
  const delay = (quantile: number, name: string): Figure =>
    quantileFigure({ measure: `${prefix} delay ${name}, s`, values: delays, quantile, of: 'faults', prng });
  return [
    shareFigure(`${prefix} precision`, matched, matched + wrong, 'incidents'),
    shareFigure(`${prefix} recall`, matched, matched + missed, 'faults'),
    ratioFigure({
      measure: `${prefix} F1`,
      items: outcomes.map((outcome) => (outcome === 'matched' ? [2, 2] : [0, 1])),
      of: 'incidents and faults',
      prng,
    }),
    rateFigure(`${prefix} false per system-day`, wrong, days, `in ${days.toFixed(2)} days`),
    rateFigure(`${prefix} count per matched fault`, matched + duplicates, matched, 'incidents'),
    delay(0.5, 'median'),
    delay(0.9, 'p90'),
  ];
}
