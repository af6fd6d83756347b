import type { Clock } from '../../lib/clock.ts';
import type { ArchiveWriter } from '../../report/archive/archive-writer.ts';
import type { Narration } from '../../report/narration.ts';
import type { Delivery } from '../../report/notify/delivery.ts';

/** Messages that come due so soon are waited for: the first of an incident, which waits for its report. */
const SOON_MS = 2500;
const LOOK_EVERY_MS = 100;

export interface LastThingsOptions {
  archive: ArchiveWriter;
  delivery: Delivery | null;
  clock: Clock;
}

/** What goes on beside the reports in a process, and has to be over before an environment answers and is paused. */
export class LastThings {
  readonly #options: LastThingsOptions;
  readonly #archiving = new Set<Promise<void>>();
  /** Given once there is one. */
  narration: Narration | null = null;

  constructor(options: LastThingsOptions) {
    this.#options = options;
  }

  /** The archive, whose writes are waited for. */
  get archive(): Pick<ArchiveWriter, 'write'> {
    return {
      write: (report, incident) => {
        const write = this.#options.archive.write(report, incident).finally(() => this.#archiving.delete(write));
        this.#archiving.add(write);
        return write;
      },
    };
  }

  /** Resolves when narratives, files and messages are done, or time is over; what is left goes on in another invocation. */
  async finish(isOver: () => boolean): Promise<void> {
    const { delivery, clock } = this.#options;
    const done = this.#all(delivery).then(() => true);
    const pause = async (): Promise<boolean> => {
      await clock.sleep(LOOK_EVERY_MS);
      return isOver();
    };
    while (!(await Promise.race([done, pause()])));
  }

  async #all(delivery: Delivery | null): Promise<void> {
    await this.narration?.settled();
    await Promise.all(this.#archiving);
    delivery?.wake();
    await delivery?.settled(SOON_MS);
  }
}
