import type { DoorName } from './load-doors.ts';

/**
 * What clients know of the ids of their events, or of the values of their points: acknowledged ones have to be stored, once;
 * those of a request without an answer that was not repeated may be.
 */
export class CrashLedger {
  readonly acknowledged = new Set<string>();
  readonly uncertain = new Set<string>();
  readonly acknowledgedByDoor = new Map<DoorName, number>();
  requests = 0;
  /** Requests that were sent more than once under their key because a crash left them without an answer. */
  retried = 0;

  acknowledge(door: DoorName, names: readonly string[]): void {
    for (const name of names) this.acknowledged.add(name);
    this.acknowledgedByDoor.set(door, (this.acknowledgedByDoor.get(door) ?? 0) + names.length);
    this.requests++;
  }

  leaveOpen(names: readonly string[]): void {
    for (const name of names) this.uncertain.add(name);
  }
}

export interface LedgerComparison {
  /** Acknowledged and not stored; sent and stored more than once. */
  lost: number;
  duplicated: number;
  /** Stored, and never sent. */
  unknown: number;
}

/** `stored` counts how often each name was found. */
export function compareLedger(ledger: CrashLedger, stored: ReadonlyMap<string, number>): LedgerComparison {
  const isKnown = (name: string): boolean => ledger.acknowledged.has(name) || ledger.uncertain.has(name);
  return {
    lost: [...ledger.acknowledged].filter((name) => !stored.has(name)).length,
    duplicated: [...stored].filter(([name, times]) => times > 1 && isKnown(name)).length,
    unknown: [...stored.keys()].filter((name) => !isKnown(name)).length,
  };
}
