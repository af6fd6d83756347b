import { createClientSkew, observeLag, type ClientSkew } from './client-skew.ts';

/**
 * How far event time has come (Akidau et al., "The Dataflow Model", VLDB 2015): the newest corrected event time, never beyond
 * its arrival, minus how long clients usually take to deliver. Milliseconds since the epoch.
 */
export interface Watermark {
  /** Newest event time; -Infinity before the first event. */
  newestMs: number;
  /** Longest usual delivery of a client that is now active. */
  holdMs: number;
  lastReceivedMs: number;
  clients: Map<string, ClientSkew>;
}

const ACTIVE_MS = 60_000;
const FORGET_MS = 600_000;
const MAX_CLIENTS = 1000;
/** A data time this far behind the wall clock is a backlog or a backfill: ticks must not close its windows. */
const LIVE_LAG_MS = 600_000;
const TICK_SLACK_MS = 1000;

export function createWatermark(): Watermark {
  return { newestMs: -Infinity, holdMs: 0, lastReceivedMs: -Infinity, clients: new Map() };
}

/** Wall mode: takes in a batch's lag; returns what to add to its timestamps. */
export function observeClient(
  state: Watermark,
  clientId: string,
  timestamps: Float64Array,
  count: number,
  receivedAtMs: number,
): number {
  let client = state.clients.get(clientId);
  if (!client) {
    if (state.clients.size >= MAX_CLIENTS) forgetClients(state, receivedAtMs);
    client = createClientSkew();
    state.clients.set(clientId, client);
  }
  observeLag(client, timestamps, count, receivedAtMs);
  const second = Math.floor(receivedAtMs / 1000);
  if (client.delayMs > state.holdMs || second !== Math.floor(state.lastReceivedMs / 1000)) refreshHold(state, receivedAtMs);
  state.lastReceivedMs = Math.max(state.lastReceivedMs, receivedAtMs);
  return client.shiftMs;
}

function refreshHold(state: Watermark, receivedAtMs: number): void {
  let hold = 0;
  for (const client of state.clients.values()) {
    if (receivedAtMs - client.lastReceivedMs <= ACTIVE_MS) hold = Math.max(hold, client.delayMs);
  }
  state.holdMs = hold;
}

function forgetClients(state: Watermark, receivedAtMs: number): void {
  for (const [id, client] of state.clients) if (receivedAtMs - client.lastReceivedMs > FORGET_MS) state.clients.delete(id);
  const oldest = state.clients.keys().next();
  if (state.clients.size >= MAX_CLIENTS && !oldest.done) state.clients.delete(oldest.value);
}

/** Event time that no usual event is older than, by the data alone. */
export function watermarkOf(state: Watermark): number {
  return state.newestMs - state.holdMs;
}

/** The same on a tick of the wall clock, so that silence ends windows too; by the data alone while it is a backlog. */
export function watermarkOnTick(state: Watermark, nowMs: number): number {
  const byData = watermarkOf(state);
  if (state.lastReceivedMs - state.newestMs > LIVE_LAG_MS || state.newestMs === -Infinity) return byData;
  return Math.max(byData, nowMs - TICK_SLACK_MS - state.holdMs);
}
