import { isoTime } from '../../../lib/clock.ts';
import { digestOf } from '../digest.ts';
import { MessageText, rich } from '../message-text.ts';
import type { RichText } from '../message-text.ts';
import type { NotifierOptions } from '../notifier-options.ts';
import type { Message, Notifier, Sent } from '../notifier.ts';
import { expectTaken, post } from '../outgoing-request.ts';
import type { Answer } from '../outgoing-request.ts';
import type { ConfigOf } from '../receiver-config.ts';
import { requireSecret } from '../secret.ts';
import { barestContent, incidentContent } from '../slack/blocks.ts';
import type { SlackContent } from '../slack/blocks.ts';

const MAX_ANSWER = 4096;

/** What somebody who reads it has to know of a way that can neither change a message nor tell whether it was sent before. */
export function updateNote(revision: number): RichText {
  return rich`Update ${revision}, sent by webhook: at least once, earlier ones are not changed`;
}

/** Slack says "ok"; what else speaks its protocol answers JSON. */
function isTaken({ text }: Answer): boolean {
  return /^\s*(ok\s*$|\{)/.test(text);
}

/** Slack's own words for a webhook that is gone for good. */
function isConfig({ status, text }: Answer): boolean {
  return (
    status >= 400 &&
    status < 500 &&
    /no_service|no_team|no_active_hooks|channel_not_found|channel_is_archived|invalid_token|action_prohibited|team_disabled/.test(
      text,
    )
  );
}

/** A message for each revision, as an incoming webhook can do no more. No buttons: nobody would hear of them. */
export class SlackWebhookNotifier implements Notifier {
  readonly kind = 'slack_webhook';
  readonly supports = { edit: false, dedup: false };
  readonly #config: ConfigOf<'slack_webhook'>;
  readonly #options: NotifierOptions;

  constructor(config: ConfigOf<'slack_webhook'>, options: NotifierOptions) {
    this.#config = config;
    this.#options = options;
  }

  async send(message: Message, _previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    const { redactor, logger, clock, timeoutMs } = this.#options;
    const digest = digestOf(message, new MessageText(redactor, logger, message.incident.services));
    const note = updateNote(message.revision);
    const tryOut = (content: SlackContent) =>
      post({
        url: requireSecret(this.#config, 'url'),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...content, unfurl_links: false, unfurl_media: false }),
        timeoutMs,
        maxAnswer: MAX_ANSWER,
        signal,
        clock,
      });
    let answer = await tryOut(incidentContent(digest, { withButtons: false, note }));
    // Only a message that it cannot read is answered 400; the shortest form of it gets through if any does.
    if (answer.status === 400) answer = await tryOut(barestContent(digest, note));
    expectTaken(answer, {
      receiver: `the Slack webhook of receiver ${this.#config.name}`,
      nowMs: clock.nowMs(),
      isTaken,
      isConfig,
    });
    return { ref: { at: isoTime(clock.nowMs()) }, revision: message.revision, state: message.state };
  }
}
