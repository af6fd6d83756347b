import { HeliosError } from '../../lib/errors.ts';
import type { HandedAlerts, IncidentLedger } from '../../store/timescale/incident-ledger.ts';
import type { SettleOptions } from '../../store/timescale/pending-alerts.ts';

/** What was handed in, and who waits for it to be stored. */
interface Waiting {
  handed: HandedAlerts;
  stored: () => void;
  failed: (error: unknown) => void;
}

/**
 * What the partitions of the alerts bring is stored together, in the transaction that makes incidents of what is due by it: detectors speak
 * at the same moments, and a commit each would keep the alerts waiting for all of them.
 */
export class AlertIntake {
  readonly #ledger: IncidentLedger;
  readonly #settling: SettleOptions;
  readonly #onHanded: () => void;
  #waiting: Waiting[] = [];

  /** `onHanded` is called when `settle` has something to do. */
  constructor(ledger: IncidentLedger, settling: SettleOptions, onHanded: () => void) {
    this.#ledger = ledger;
    this.#settling = settling;
    this.#onHanded = onHanded;
  }

  /** Resolves when it is stored; rejects as `IncidentLedger.record` does, and when the signal aborts before anybody has begun with it. */
  hand(handed: HandedAlerts, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { handed, stored: resolve, failed: reject };
    const giveUp = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      reject(signal.reason as Error);
    };
    if (signal.aborted) giveUp();
    else {
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(waiting);
      this.#onHanded();
    }
    return promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** Stores what was handed in, and makes incidents of what is due; returns the number of alerts, 0 when none is left. */
  async settle(): Promise<number> {
    const taken = this.#waiting;
    this.#waiting = [];
    try {
      const settled = await this.#ledger.settle(
        this.#settling,
        taken.map(({ handed }) => handed),
      );
      for (const { stored } of taken) stored();
      return settled;
    } catch (error) {
      // One partition that is another's must not keep the others back, nor a desk that cannot be had.
      await Promise.all(
        taken.map(({ handed: { messages, progress }, stored, failed }) =>
          this.#ledger.record(messages, progress).then(stored, failed),
        ),
      );
      if (taken.length > 0 && error instanceof HeliosError && error.code === 'conflict') return this.settle();
      throw error;
    }
  }
}
