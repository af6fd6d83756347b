import { createHmac } from 'node:crypto';
import { isoTime } from '../../../lib/clock.ts';
import { MessageText } from '../message-text.ts';
import type { NotifierOptions } from '../notifier-options.ts';
import type { Message, Notifier, Sent } from '../notifier.ts';
import { expectTaken, isPage, post } from '../outgoing-request.ts';
import type { ConfigOf } from '../receiver-config.ts';
import { readSecret, requireSecret } from '../secret.ts';
import { alertmanagerPayload } from './alertmanager-payload.ts';

const MAX_ANSWER = 4096;

/**
 * Headers by which a receiver knows the sender: HMAC-SHA256 over "<seconds>.<body>". The time is signed too, so that what was recorded cannot
 * be sent again much later.
 */
export function signatureHeaders(secret: string, body: string, nowMs: number): Record<string, string> {
  const seconds = String(Math.floor(nowMs / 1000));
  const hex = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return { 'x-helios-timestamp': seconds, 'x-helios-signature': `sha256=${hex}` };
}

/** Whatever takes Alertmanager's webhooks. A later revision is the same group and the same fingerprints, which receivers merge by. */
export class AlertmanagerNotifier implements Notifier {
  readonly kind = 'alertmanager';
  readonly supports = { edit: true, dedup: false };
  readonly #config: ConfigOf<'alertmanager'>;
  readonly #options: NotifierOptions;

  constructor(config: ConfigOf<'alertmanager'>, options: NotifierOptions) {
    this.#config = config;
    this.#options = options;
  }

  async send(message: Message, _previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    const { redactor, logger, clock, timeoutMs } = this.#options;
    const { name } = this.#config;
    const body = JSON.stringify(alertmanagerPayload(message, name, new MessageText(redactor, logger, message.incident.services)));
    const authorization = readSecret(this.#config, 'authorization');
    const hmacSecret = readSecret(this.#config, 'hmac_secret');
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': `${message.key}.${message.revision}`.replaceAll(/[^\x21-\x7e]/g, '_'),
      ...(authorization !== undefined && { authorization }),
      ...(hmacSecret !== undefined && signatureHeaders(hmacSecret, body, clock.nowMs())),
    };
    const url = requireSecret(this.#config, 'url');
    const answer = await post({ url, headers, body, timeoutMs, maxAnswer: MAX_ANSWER, signal, clock });
    expectTaken(answer, {
      receiver: `the webhook of receiver ${name}`,
      nowMs: clock.nowMs(),
      isTaken: (taken) => !isPage(taken),
    });
    return { ref: { at: isoTime(clock.nowMs()) }, revision: message.revision, state: message.state };
  }
}
