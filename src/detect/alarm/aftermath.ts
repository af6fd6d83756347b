/** Rows for which a spike is remembered: as long as windows of the voters hold it. */
const MEMORY_ROWS = 6;
/** A row with a departure of this many spreads speaks for itself. */
const DEPARTURE = 2;
/** Spikes that leave no trace in voters, and that leave nothing else in them, in spreads. */
const SMALL_SPIKE = 6;
const HUGE_SPIKE = 30;
/** Even then a row keeps this part of a departure: it is ordered by what voters say of it. */
const LEAST_DEPARTURE = 0.3;

/**
 * Tells what voters remember of a spike from what they see. After one of many spreads, windows and held residuals are strange for
 * rows in which every series is back where it was; the share of the score that such a row keeps falls with its own largest departure,
 * the more so the larger the spike was. What lasts, and what builds up without a spike, keeps its score. State is plain data.
 */
export class Aftermath {
  private readonly largest = new Float64Array(MEMORY_ROWS);
  private rows = 0;

  /** Share of the voters' score that the next row keeps, in (0, 1]; `away` is how far off its usual the most deviating series is. */
  keep(away: number): number {
    const departure = Math.max(LEAST_DEPARTURE, away);
    let spike = SMALL_SPIKE;
    for (const earlier of this.largest) spike = Math.max(spike, earlier);
    this.largest[this.rows++ % MEMORY_ROWS] = departure;
    const memory = Math.min(1, Math.log(spike / SMALL_SPIKE) / Math.log(HUGE_SPIKE / SMALL_SPIKE));
    return Math.min(1, departure / DEPARTURE) ** memory;
  }
}
