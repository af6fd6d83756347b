import { CrashClient } from './crash-client.ts';
import { CrashLedger } from './crash-ledger.ts';
import { LOAD_DOORS } from './load-doors.ts';
import type { DoorName } from './load-doors.ts';
import type { ReadyLine } from './server-process.ts';

export interface ClientKind {
  door: DoorName;
  withKey: boolean;
}

/** One client of every door; two of one that takes keys: one sends them and repeats, the other does neither. */
export function clientsOfDoors(doors: readonly DoorName[]): ClientKind[] {
  return doors.flatMap((door) => (LOAD_DOORS[door].takesKeys ? [true, false] : [false]).map((withKey) => ({ door, withKey })));
}

export interface CrashClientsOptions {
  kinds: readonly ClientKind[];
  /** A small whole number; two groups of clients with different ones do not repeat each other's ids. */
  seed: number;
  paceMs: number;
  server: () => ReadyLine;
}

/** Clients that run at once, and what they know. */
export class CrashClients {
  readonly ledgers = { events: new CrashLedger(), points: new CrashLedger() };
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[];

  constructor({ kinds, seed, paceMs, server }: CrashClientsOptions) {
    this.#running = kinds.map(({ door, withKey }, index) => {
      const ledger = LOAD_DOORS[door].isMetrics ? this.ledgers.points : this.ledgers.events;
      return new CrashClient({ door, withKey, seed: seed * 100 + index, paceMs, server, ledger }).run(this.#stop.signal);
    });
    // Whoever calls finish() hears of it.
    for (const running of this.#running) running.catch(() => undefined);
  }

  /** Sends no new requests and waits until the last are acknowledged. Rejects when one was refused. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}
