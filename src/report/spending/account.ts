/** Money set aside for a request that is under way. */
export interface Hold {
  /** Millionths of a USD. */
  micro: number;
  /** Wall time after which nobody settles it any more, milliseconds since the epoch. */
  untilMs: number;
  service: string;
}

export interface ServiceUsage {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  micro: number;
}

/** What is kept for an incident, a day or a month. */
export interface Account {
  spentMicro: number;
  holds: Record<string, Hold>;
  /** Of the newest reservation, milliseconds since the epoch; only of incidents. */
  atMs?: number;
  /** By service; only of days. */
  services?: Record<string, ServiceUsage>;
}

/** Services of one day that have a line of their own; the others share one. */
const MAX_SERVICES = 1000;
export const OTHER_SERVICES = 'other';
/** Where the last digit is rounded; prices have fewer. */
const DIGITS = 3;

/** Millionths of a USD, rounded up. */
export function microOf(usd: number): number {
  return Math.ceil(Number((usd * 1e6).toFixed(DIGITS)));
}

export function usdOf(micro: number): number {
  return micro / 1e6;
}

export function openAccount(kept: unknown): Account {
  return (kept as Account | undefined) ?? { spentMicro: 0, holds: {} };
}

function withUsage(account: Account, service: string, usage: ServiceUsage): Account {
  if (account.services === undefined) return account;
  const isRoom = Object.hasOwn(account.services, service) || Object.keys(account.services).length < MAX_SERVICES;
  const name = isRoom ? service : OTHER_SERVICES;
  const known = account.services[name] ?? { calls: 0, inputTokens: 0, outputTokens: 0, micro: 0 };
  const sum: ServiceUsage = {
    calls: known.calls + usage.calls,
    inputTokens: known.inputTokens + usage.inputTokens,
    outputTokens: known.outputTokens + usage.outputTokens,
    micro: known.micro + usage.micro,
  };
  return { ...account, services: { ...account.services, [name]: sum } };
}

/**
 * Holds that nobody has settled in time count as spent in full: the process that took them has died, perhaps after the provider had begun
 * to bill. A cap is then reached too early, and never passed.
 */
export function withoutExpired(account: Account, nowMs: number): Account {
  let next = account;
  for (const [id, hold] of Object.entries(account.holds)) {
    if (hold.untilMs > nowMs) continue;
    next = withUsage(next, hold.service, { calls: 1, inputTokens: 0, outputTokens: 0, micro: hold.micro });
    next = { ...next, spentMicro: next.spentMicro + hold.micro, holds: withoutHold(next.holds, id) };
  }
  return next;
}

function withoutHold(holds: Account['holds'], id: string): Account['holds'] {
  const { [id]: _, ...others } = holds;
  return others;
}

export function reservedMicro(account: Account): number {
  return Object.values(account.holds).reduce((sum, { micro }) => sum + micro, 0);
}

export function withHold(account: Account, id: string, hold: Hold): Account {
  return { ...account, holds: { ...account.holds, [id]: hold } };
}

/** The hold replaced by what the request has cost; of one that counts as spent already, by what it has cost beyond that. */
export function settled(account: Account, id: string, hold: Hold, usage: ServiceUsage | null): Account {
  const isHeld = Object.hasOwn(account.holds, id);
  if (usage === null) return { ...account, holds: withoutHold(account.holds, id) };
  const micro = isHeld ? usage.micro : Math.max(0, usage.micro - hold.micro);
  // The call itself was counted when the hold ran out.
  const counted = { ...usage, calls: isHeld ? usage.calls : 0, micro };
  const next = withUsage(account, hold.service, counted);
  return { ...next, spentMicro: next.spentMicro + micro, holds: withoutHold(next.holds, id) };
}
