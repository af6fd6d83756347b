import { createHash } from 'node:crypto';
import { isoTime } from '../../../lib/clock.ts';
import { digestOf } from '../digest.ts';
import type { Digest } from '../digest.ts';
import { MessageText } from '../message-text.ts';
import type { NotifierOptions } from '../notifier-options.ts';
import type { Message, Notifier, Sent } from '../notifier.ts';
import type { ConfigOf } from '../receiver-config.ts';
import { readSecret, requireSecret } from '../secret.ts';
import { barestContent, incidentContent, threadContents } from './blocks.ts';
import type { SlackContent } from './blocks.ts';
import { SlackChannel } from './channel.ts';
import type { Marker } from './channel.ts';
import { openSlackClient } from './client.ts';
import { slackCode, slackError } from './errors.ts';

/** Clocks of ours and of Slack's may differ, and an incident may be told after its detection. */
const HISTORY_SLACK_MS = 15 * 60_000;

function digestHash(content: SlackContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16);
}

/**
 * One living message per incident by a bot: posted once, changed in place, the report and its evidence in its thread. Every message carries
 * its delivery's key as metadata; when none is known to have been sent, the channel is searched for one before another is posted.
 */
export class SlackNotifier implements Notifier {
  readonly kind = 'slack';
  readonly supports = { edit: true, dedup: true };
  readonly #config: ConfigOf<'slack'>;
  readonly #options: NotifierOptions;

  constructor(config: ConfigOf<'slack'>, options: NotifierOptions) {
    this.#config = config;
    this.#options = options;
  }

  async send(message: Message, previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    const { redactor, logger, clock, timeoutMs } = this.#options;
    const { name, channel, api_url: apiUrl } = this.#config;
    const digest = digestOf(message, new MessageText(redactor, logger, message.incident.services));
    const withButtons = readSecret(this.#config, 'signing_secret') !== undefined;
    const content = incidentContent(digest, { withButtons, note: null });
    try {
      const client = await openSlackClient({ apiUrl, token: requireSecret(this.#config, 'token'), timeoutMs, clock, signal });
      const slack = new SlackChannel(client, channel);
      // Another channel since: what was sent to the old one stays there.
      const known = previous?.ref['channel'] === channel ? previous.ref : {};
      const root = await this.#root(slack, message, content, barestContent(digest, null), known['ts']);
      const thread = await this.#thread(slack, message, digest, root, root.ts === known['ts'] ? known : {});
      const ref = { channel, ts: root.ts, ...thread, at: isoTime(clock.nowMs()) };
      return { ref, revision: message.revision, state: message.state };
    } catch (error) {
      if (signal.aborted) throw signal.reason as Error;
      throw slackError(name, error);
    }
  }

  /** The message in the channel: changed if it is known or found, posted otherwise. */
  async #root(slack: SlackChannel, message: Message, content: SlackContent, barest: SlackContent, known: string | undefined) {
    const marker: Marker = { event_type: 'helios_incident', event_payload: { key: message.key, revision: message.revision } };
    if (known !== undefined && (await slack.update(known, marker, content, barest))) return { ts: known, isNew: false };
    const found = await this.#find(slack, message, marker);
    if (found !== undefined && found !== known && (await slack.update(found, marker, content, barest)))
      return { ts: found, isNew: false };
    return { ts: await slack.post(marker, content, barest), isNew: true };
  }

  async #find(slack: SlackChannel, { incident }: Message, marker: Marker): Promise<string | undefined> {
    const detectedMs = Date.parse(incident.detectedAt);
    const nowMs = this.#options.clock.nowMs();
    // Where time runs with the data, an incident of last year is told today, and one of "tomorrow" as well.
    const oldestMs = Math.min(Number.isNaN(detectedMs) ? nowMs : detectedMs, nowMs) - HISTORY_SLACK_MS;
    try {
      return await slack.find(marker, oldestMs);
    } catch (error) {
      if (slackCode(error) !== 'missing_scope') throw error;
      const { name } = this.#config;
      this.#options.logger.warn(
        'Slack app may not read its channel (channels:history), so after a crash a message may come twice',
        { name },
      );
      return undefined;
    }
  }

  /** Messages of the thread, each changed only when what it says has changed; names and hashes of them. */
  async #thread(
    slack: SlackChannel,
    { key, revision }: Message,
    digest: Digest,
    root: { ts: string; isNew: boolean },
    known: Record<string, string>,
  ) {
    const ref: Record<string, string> = {};
    for (const { part, content } of threadContents(digest)) {
      const marker: Marker = { event_type: `helios_${part}`, event_payload: { key, revision } };
      const hash = digestHash(content);
      const barest = { text: content.text, blocks: [] };
      let ts = known[`${part}_ts`];
      if (ts === undefined || known[`${part}_hash`] !== hash) {
        if (ts === undefined && !root.isNew) ts = await this.#findPart(slack, root.ts, marker);
        if (ts === undefined || !(await slack.update(ts, marker, content, barest)))
          ts = await slack.post(marker, content, barest, root.ts);
      }
      ref[`${part}_ts`] = ts;
      ref[`${part}_hash`] = hash;
    }
    return ref;
  }

  async #findPart(slack: SlackChannel, threadTs: string, marker: Marker): Promise<string | undefined> {
    try {
      return await slack.findInThread(threadTs, marker);
    } catch (error) {
      if (slackCode(error) !== 'missing_scope') throw error;
      return undefined;
    }
  }
}
