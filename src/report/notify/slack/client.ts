import type { FetchFunction, WebClient } from '@slack/web-api';
import type { Clock } from '../../../lib/clock.ts';
import { HeliosError } from '../../../lib/errors.ts';
import { post } from '../outgoing-request.ts';

/** A page of a channel's history is the longest answer; Slack sends no more than a few hundred kilobytes. */
const MAX_ANSWER = 4_000_000;

export interface SlackClientOptions {
  apiUrl: string;
  token: string;
  timeoutMs: number;
  clock: Clock;
  signal: AbortSignal;
}

/** Transport of the client: bounded, with our deadline, and no redirects, as for every other receiver. */
function fetchOf({ timeoutMs, clock, signal }: SlackClientOptions): FetchFunction {
  return async (url, init) => {
    const body = init?.body;
    const headers = init?.headers ?? {};
    const text = typeof body === 'string' ? body : '';
    const answer = await post({ url: String(url), headers, body: text, timeoutMs, maxAnswer: MAX_ANSWER, signal, clock });
    if (answer.isCut) throw new HeliosError('unavailable', 'cannot read the answer of Slack: it is too long');
    return {
      ok: answer.status >= 200 && answer.status < 300,
      status: answer.status,
      statusText: '',
      url: String(url),
      headers: { get: (name) => answer.headers[name.toLowerCase()] ?? null, entries: () => Object.entries(answer.headers) },
      arrayBuffer: async () => new TextEncoder().encode(answer.text).buffer,
      json: async () => JSON.parse(answer.text) as unknown,
      text: async () => answer.text,
    };
  };
}

/** Loaded when it is needed first. It tries once: whether and when to try again is for delivery to say. */
export async function openSlackClient(options: SlackClientOptions): Promise<WebClient> {
  const slack = await import('@slack/web-api');
  const silent = (): void => {};
  return new slack.WebClient(options.token, {
    slackApiUrl: options.apiUrl,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    fetch: fetchOf(options),
    // Its debug log holds whole messages, and its warnings go to the console.
    logger: {
      debug: silent,
      info: silent,
      warn: silent,
      error: silent,
      setLevel: silent,
      setName: silent,
      getLevel: () => slack.LogLevel.ERROR,
    },
  });
}
