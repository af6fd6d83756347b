/** One part of the way from a door to a report, as it stands now. Numbers of what has come and what is done only grow. */
export interface Stage {
  /** "events", "alerts"; of several with one name the worst counts. */
  name: string;
  /** Tells the parts of one stage apart, such as partitions. */
  part?: number;
  /** How much has come: an offset, a count. */
  come: number;
  /** How much of it is done; undefined where only `doneForMs` is known. */
  done?: number;
  /** Everything that had come so long ago is done, milliseconds. */
  doneForMs?: number;
}

/** What a process can tell of the installation. */
export interface Vitals {
  stages: readonly Stage[];
  /** How long something that is due waits already, milliseconds, by stage. */
  waits: readonly { name: string; ms: number }[];
}

export interface Condition {
  /** By stage, how long ago the oldest of what is not done had come, milliseconds; 0 when all is done. */
  lagMs: ReadonlyMap<string, number>;
  /** Since anything has come, milliseconds; null while nothing ever has. */
  silenceMs: number | null;
}

interface Track {
  /** What had come by when, oldest first, of what is not done; the last one also when it is. */
  news: { come: number; atMs: number }[];
  come: number;
}

/** Enough for a day at one sample every 15 s; of a longer jam only the start and the end are told apart. */
const MAX_NEWS = 6000;

/** Makes times of numbers that only grow: how long the oldest of what is not done waits, and when anything came last. */
export class VitalsWatch {
  readonly #tracks = new Map<string, Track>();
  #newsMs: number | null = null;

  /** `nowMs` never goes back. */
  observe({ stages, waits }: Vitals, nowMs: number): Condition {
    const lagMs = new Map<string, number>();
    const show = (name: string, ms: number): void => void lagMs.set(name, Math.max(ms, lagMs.get(name) ?? 0));
    for (const stage of stages) show(stage.name, this.#lagOf(stage, nowMs));
    for (const { name, ms } of waits) show(name, ms);
    return { lagMs, silenceMs: this.#newsMs === null ? null : nowMs - this.#newsMs };
  }

  #lagOf({ name, part, come, done, doneForMs }: Stage, nowMs: number): number {
    const key = `${name} ${part ?? ''}`;
    let track = this.#tracks.get(key);
    if (!track) this.#tracks.set(key, (track = { news: [], come: 0 }));
    // A log that was made anew begins again: what was known of the old one says nothing.
    if (come < track.come) track.news = [];
    if (come > track.come) {
      this.#newsMs = nowMs;
      if (track.news.length >= MAX_NEWS) track.news.pop();
      track.news.push({ come, atMs: nowMs });
    }
    track.come = come;
    const isDone = (each: { come: number; atMs: number }): boolean =>
      done === undefined ? doneForMs !== undefined && each.atMs <= nowMs - doneForMs : each.come <= done;
    while (track.news[0] && isDone(track.news[0])) track.news.shift();
    return track.news[0] ? nowMs - track.news[0].atMs : 0;
  }
}
