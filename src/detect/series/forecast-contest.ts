/**
 * Whether a forecast is better than the plain level: a sign test on the errors both made before they saw the value
 * (Diebold and Mariano 1995, section 2.2, in the prequential manner of Dawid 1984). Noise has no period that
 * wins: medians of few values forecast worse than a median of many. Rounds are a slot apart, since errors close in time say the same. Plain data.
 */
export interface ForecastContest {
  wins: number;
  rounds: number;
}

const MEMORY = 0.998;
const MIN_ROUNDS = 24;
const MIN_SIGMAS = 3;

export function createForecastContest(): ForecastContest {
  return { wins: 0, rounds: 0 };
}

/** One round: the sizes of both errors; NaN when one of them has no forecast. */
export function playRound(contest: ForecastContest, levelError: number, forecastError: number): void {
  const gain = Math.abs(levelError) - Math.abs(forecastError);
  if (Number.isNaN(gain)) return;
  contest.wins = contest.wins * MEMORY + Math.sign(gain);
  contest.rounds = contest.rounds * MEMORY + 1;
}

export function isWon({ wins, rounds }: ForecastContest): boolean {
  return rounds >= MIN_ROUNDS && wins > MIN_SIGMAS * Math.sqrt(rounds);
}
