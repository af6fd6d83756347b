import { isoTime } from '../../lib/clock.ts';
import { usdOf } from './account.ts';
import type { BudgetConfig } from './config.ts';

export type Cap = 'incident' | 'day' | 'month';

export interface CapReached {
  ok: false;
  cap: Cap;
  limitUsd: number;
  /** With what is set aside for requests under way. */
  spentUsd: number;
  /** For people, in the report. */
  sentence: string;
}

export const ACCOUNTS = 'spending/';

/** Keys of the accounts that a request at `nowMs` is booked to. */
export function accountKeys(incidentId: string, nowMs: number): Record<Cap, string> {
  const at = isoTime(nowMs);
  return {
    incident: `${ACCOUNTS}incident/${incidentId}`,
    day: `${ACCOUNTS}day/${at.slice(0, 10)}`,
    month: `${ACCOUNTS}month/${at.slice(0, 7)}`,
  };
}

export const CAPS: readonly Cap[] = ['incident', 'day', 'month'];

/** Millionths of a USD, rounded down; null: no cap. */
export function limitOf(config: BudgetConfig, cap: Cap): number | null {
  const usd = { incident: config.per_incident, day: config.per_day, month: config.per_month }[cap];
  return usd === 'unlimited' ? null : Math.floor(Number((usd * 1e6).toFixed(3)));
}

const AGAIN: Readonly<Record<Cap, string>> = {
  incident: '',
  day: ' The next day begins at 00:00 UTC.',
  month: ' The next month begins on its first day, UTC.',
};

/** Why a request that may cost `asked` was not made; all in millionths of a USD. */
export function refusal(cap: Cap, limit: number, spent: number, asked: number): CapReached {
  const limitUsd = usdOf(limit);
  const spentUsd = usdOf(spent);
  const sentence =
    limit === 0
      ? `No language model was asked: the budget for ${cap === 'incident' ? 'an incident' : `a ${cap}`} is 0 USD.`
      : `No language model was asked: of the ${limitUsd} USD for ${cap === 'incident' ? 'this incident' : `this ${cap}`}, ${spentUsd} USD are spent or set aside, and the request may cost ${usdOf(asked)} USD.${AGAIN[cap]}`;
  return { ok: false, cap, limitUsd, spentUsd, sentence };
}
