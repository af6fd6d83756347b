import { constants } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { TokenBucket } from '../token-bucket.ts';
import {
  HANDSHAKE_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  PING_AFTER_MS,
  PING_BUDGET,
  RESET_BUDGET,
  SETTINGS_BUDGET,
  SESSION_WINDOW_BYTES,
} from './limits.ts';

/**
 * Watches over one connection: what costs a sender little and this process much is counted (CVE-2023-44487 "rapid reset",
 * CVE-2019-9512 "ping flood", CVE-2019-9515 "settings flood"), and peers that are gone are found.
 */
export class SessionGuard {
  readonly #session: ServerHttp2Session;
  readonly #clock: Clock;
  readonly #resets: TokenBucket;
  readonly #pings: TokenBucket;
  readonly #settings: TokenBucket;
  readonly #openedMs: number;
  /** When something last proved that the peer is there. */
  #heardMs: number;
  /** When there last was a call. */
  #busyMs: number;
  #calls = 0;
  #hasBegun = false;
  #isPinged = false;

  constructor(session: ServerHttp2Session, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    const nowMs = clock.monotonicMs();
    this.#openedMs = this.#heardMs = this.#busyMs = nowMs;
    const bucket = ({ perSecond, burst }: typeof RESET_BUDGET | typeof PING_BUDGET | typeof SETTINGS_BUDGET): TokenBucket =>
      new TokenBucket(perSecond, (burst / perSecond) * 1000, nowMs);
    this.#resets = bucket(RESET_BUDGET);
    this.#pings = bucket(PING_BUDGET);
    this.#settings = bucket(SETTINGS_BUDGET);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.on('ping', () => this.#onPing());
    session.on('remoteSettings', () => this.#onSettings());
    session.on('error', () => session.destroy());
  }

  callOpened(): void {
    this.#calls++;
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** `code`: the error code that the stream was reset with, 0 for none. */
  callClosed(code: number): void {
    this.#calls--;
    this.#busyMs = this.#clock.monotonicMs();
    if (code !== constants.NGHTTP2_NO_ERROR) this.#spend(this.#resets);
  }

  /** Closes a connection that is idle or whose peer is gone; called every `SWEEP_PERIOD_MS`. */
  sweep(): void {
    const session = this.#session;
    const nowMs = this.#clock.monotonicMs();
    if (session.destroyed) return;
    if (!this.#hasBegun) {
      if (nowMs - this.#openedMs >= HANDSHAKE_TIMEOUT_MS) session.destroy();
    } else if (this.#calls === 0 && nowMs - this.#busyMs >= IDLE_TIMEOUT_MS) {
      session.close();
    } else if (nowMs - this.#heardMs >= PING_AFTER_MS) {
      if (this.#isPinged) session.destroy();
      else this.#ping();
    }
  }

  #ping(): void {
    this.#isPinged = this.#session.ping(() => {
      this.#isPinged = false;
      this.#heardMs = this.#clock.monotonicMs();
    });
  }

  #onPing(): void {
    this.#heardMs = this.#clock.monotonicMs();
    this.#spend(this.#pings);
  }

  #onSettings(): void {
    this.#hasBegun = true;
    this.#spend(this.#settings);
  }

  #spend(budget: TokenBucket): void {
    const nowMs = this.#clock.monotonicMs();
    budget.take(1, nowMs);
    if (budget.waitMs(nowMs) === 0 || this.#session.destroyed) return;
    const flood = new HeliosError('rate_limited', 'cannot go on with the connection: it resets, pings or sets too often');
    this.#session.destroy(flood, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
