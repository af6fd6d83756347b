import { isoTime } from '../../../lib/clock.ts';
import { digestOf } from '../digest.ts';
import { MessageText } from '../message-text.ts';
import type { NotifierOptions } from '../notifier-options.ts';
import type { Message, Notifier, Sent } from '../notifier.ts';
import { expectTaken, isPage, post } from '../outgoing-request.ts';
import type { ConfigOf } from '../receiver-config.ts';
import { requireSecret } from '../secret.ts';
import { updateNote } from '../slack-webhook/slack-webhook-notifier.ts';
import { teamsBody } from './adaptive-card.ts';

const MAX_ANSWER = 4096;

/** A workflow of Microsoft Teams that begins with "When a Teams webhook request is received". A message for each revision. */
export class TeamsNotifier implements Notifier {
  readonly kind = 'teams';
  readonly supports = { edit: false, dedup: false };
  readonly #config: ConfigOf<'teams'>;
  readonly #options: NotifierOptions;

  constructor(config: ConfigOf<'teams'>, options: NotifierOptions) {
    this.#config = config;
    this.#options = options;
  }

  async send(message: Message, _previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    const { redactor, logger, clock, timeoutMs } = this.#options;
    const { name } = this.#config;
    const body = teamsBody(
      digestOf(message, new MessageText(redactor, logger, message.incident.services)),
      updateNote(message.revision),
    );
    const url = requireSecret(this.#config, 'url');
    const headers = { 'content-type': 'application/json' };
    const answer = await post({ url, headers, body, timeoutMs, maxAnswer: MAX_ANSWER, signal, clock });
    expectTaken(answer, {
      receiver: `the Teams workflow of receiver ${name}`,
      nowMs: clock.nowMs(),
      isTaken: (taken) => !isPage(taken),
    });
    return { ref: { at: isoTime(clock.nowMs()) }, revision: message.revision, state: message.state };
  }
}
