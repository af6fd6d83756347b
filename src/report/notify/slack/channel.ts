import type { WebClient } from '@slack/web-api';
import type { SlackContent } from './blocks.ts';
import { isGone, isRefusedContent } from './errors.ts';

/** How far back a message of an earlier process is looked for, in pages of the channel, newest first. */
const MAX_PAGES = 5;
const PAGE = 200;

export interface Marker {
  event_type: 'helios_incident' | 'helios_report' | 'helios_evidence';
  /** `key` is the delivery's; the same key and type are the same message. */
  event_payload: { key: string; revision: number };
}

interface FoundMessage {
  ts?: string | undefined;
  metadata?: { event_type?: string | undefined; event_payload?: unknown } | undefined;
}

/** Messages of one channel, each known by the marker in its metadata. Errors are the client's. */
export class SlackChannel {
  readonly #client: WebClient;
  readonly #channel: string;

  constructor(client: WebClient, channel: string) {
    this.#client = client;
    this.#channel = channel;
  }

  /** `ts` of the newest message with this marker that is not older than `oldestMs`; undefined when there is none. */
  async find(marker: Marker, oldestMs: number): Promise<string | undefined> {
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await this.#client.conversations.history({
        channel: this.#channel,
        oldest: (oldestMs / 1000).toFixed(6),
        limit: PAGE,
        include_all_metadata: true,
        ...(cursor !== undefined && { cursor }),
      });
      const found = matching(answer.messages, marker);
      cursor = answer.response_metadata?.next_cursor;
      if (found !== undefined || cursor === undefined || cursor === '') return found;
    }
    return undefined;
  }

  /** As `find`, of the first answers in a thread, where those of HELIOS are. */
  async findInThread(threadTs: string, marker: Marker): Promise<string | undefined> {
    const answer = await this.#client.conversations.replies({
      channel: this.#channel,
      ts: threadTs,
      limit: PAGE,
      include_all_metadata: true,
    });
    return matching(answer.messages, marker);
  }

  /** Posts a message, in a thread if one is named; its `ts`. Content that Slack refuses is replaced by `barest`. */
  async post(marker: Marker, content: SlackContent, barest: SlackContent, threadTs?: string): Promise<string> {
    const send = async ({ text, blocks }: SlackContent): Promise<string> => {
      const answer = await this.#client.chat.postMessage({
        channel: this.#channel,
        text,
        blocks,
        metadata: { ...marker },
        parse: 'none',
        link_names: false,
        unfurl_links: false,
        unfurl_media: false,
        ...(threadTs !== undefined && { thread_ts: threadTs }),
      });
      return answer.ts ?? '';
    };
    return orBarest(send, content, barest);
  }

  /** Changes a message; false when it is gone or can no longer be changed. */
  async update(ts: string, marker: Marker, content: SlackContent, barest: SlackContent): Promise<boolean> {
    const send = async ({ text, blocks }: SlackContent): Promise<boolean> => {
      await this.#client.chat.update({
        channel: this.#channel,
        ts,
        text,
        blocks,
        metadata: { ...marker },
        parse: 'none',
        link_names: false,
      });
      return true;
    };
    try {
      return await orBarest(send, content, barest);
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }
}

function matching(messages: FoundMessage[] | undefined, marker: Marker): string | undefined {
  const found = messages?.find(({ metadata }) => {
    const payload = metadata?.event_payload as { key?: unknown } | undefined;
    return metadata?.event_type === marker.event_type && payload?.key === marker.event_payload.key;
  });
  return found?.ts;
}

async function orBarest<T>(send: (content: SlackContent) => Promise<T>, content: SlackContent, barest: SlackContent): Promise<T> {
  try {
    return await send(content);
  } catch (error) {
    if (!isRefusedContent(error)) throw error;
    return send(barest);
  }
}
