import { createHash } from 'node:crypto';
import { isoTime } from '../../../lib/clock.ts';
import type { Severity } from '../../../model/anomaly.ts';
import { digestOf, firstLines } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { cut, MessageText, plainText, rich } from '../message-text.ts';
import type { RichText } from '../message-text.ts';
import type { NotifierOptions } from '../notifier-options.ts';
import type { Message, Notifier, Sent } from '../notifier.ts';
import { expectTaken, post } from '../outgoing-request.ts';
import type { Answer } from '../outgoing-request.ts';
import type { ConfigOf } from '../receiver-config.ts';
import { requireSecret } from '../secret.ts';

const MAX_ANSWER = 16_384;
/** Events API v2: an event has at most 512 KB, its summary 1,024 characters, its dedup_key 255. Details are kept to what a person reads. */
const MAX_SUMMARY = 1024;
const MAX_DEDUP_KEY = 255;
const MAX_SECTION = 30_000;

const SEVERITIES: Record<Severity, 'critical' | 'error' | 'warning' | 'info'> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
};

const ACTIONS = { opened: 'trigger', updated: 'trigger', acknowledged: 'acknowledge', resolved: 'resolve' } as const;

/** The delivery's key itself where it fits, so that a person can find it. */
export function dedupKeyOf(key: string): string {
  return key.length <= MAX_DEDUP_KEY && /^[\x21-\x7e]+$/.test(key) ? key : createHash('sha256').update(key).digest('hex');
}

/** `{"status":"success",…}`: anything else was no answer of PagerDuty's. */
function isTaken({ text }: Answer): boolean {
  return /"status"\s*:\s*"success"/.test(text);
}

function isConfig({ status }: Answer): boolean {
  return [400, 401, 403].includes(status);
}

function lines(texts: readonly RichText[]): string[] {
  return firstLines(texts, MAX_SECTION, (line) => line.length)
    .map((line) => plainText(line))
    .filter((line) => line !== '');
}

function payloadOf({ incident, labels }: Message, digest: Digest, text: MessageText) {
  const shown = Object.entries(labels).slice(0, 50);
  return {
    summary: cut(plainText(digest.lead === '' ? digest.title : rich`${digest.title}. ${digest.lead}`), MAX_SUMMARY),
    source: plainText(text.plain(incident.services[0] ?? 'helios', 200)) || 'helios',
    severity: SEVERITIES[incident.severity],
    timestamp: incident.startedAt,
    component: plainText(text.plain(incident.causes[0]?.service ?? incident.services[0] ?? '', 200)),
    class: incident.causes[0]?.signal ?? 'incident',
    custom_details: {
      facts: lines(digest.facts),
      report: lines(digest.detail),
      evidence: lines(digest.evidence),
      labels: Object.fromEntries(shown.map(([name, value]) => [text.data(name, 100), text.plain(value, 200)])),
      about: plainText(digest.footer),
    },
  };
}

/**
 * PagerDuty's Events API v2. The key makes it idempotent: a second trigger is an update of the same alert, acknowledging or resolving one that
 * it does not know does nothing.
 */
export class PagerdutyNotifier implements Notifier {
  readonly kind = 'pagerduty';
  readonly supports = { edit: true, dedup: true };
  readonly #config: ConfigOf<'pagerduty'>;
  readonly #options: NotifierOptions;

  constructor(config: ConfigOf<'pagerduty'>, options: NotifierOptions) {
    this.#config = config;
    this.#options = options;
  }

  async send(message: Message, _previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    const { redactor, logger, clock, timeoutMs } = this.#options;
    const { url, name } = this.#config;
    const text = new MessageText(redactor, logger, message.incident.services);
    const digest = digestOf(message, text);
    const dedupKey = dedupKeyOf(message.key);
    const action = ACTIONS[message.state];
    const about = {
      client: 'HELIOS',
      ...(digest.link !== null && { client_url: digest.link, links: [{ href: digest.link, text: 'Open in HELIOS' }] }),
    };
    const routingKey = requireSecret(this.#config, 'routing_key');
    const tryOut = (payload: Record<string, unknown>): Promise<Answer> => {
      const event = {
        routing_key: routingKey,
        event_action: action,
        dedup_key: dedupKey,
        ...(action === 'trigger' && { ...about, payload }),
      };
      const headers = { 'content-type': 'application/json' };
      return post({ url, headers, body: JSON.stringify(event), timeoutMs, maxAnswer: MAX_ANSWER, signal, clock });
    };
    const payload = payloadOf(message, digest, text);
    let answer = await tryOut(payload);
    // An event with nothing in it that could be wrong tells whether it was the event or the key that was refused.
    if (answer.status === 400 && action === 'trigger') {
      answer = await tryOut({ summary: `HELIOS incident ${digest.incidentId}`, source: 'helios', severity: payload.severity });
    }
    expectTaken(answer, { receiver: `PagerDuty by receiver ${name}`, nowMs: clock.nowMs(), isTaken, isConfig });
    return { ref: { dedup_key: dedupKey, at: isoTime(clock.nowMs()) }, revision: message.revision, state: message.state };
  }
}
