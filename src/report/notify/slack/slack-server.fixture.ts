import { SLACK_LIMITS } from './blocks.ts';
import { startReceiverServer } from '../receiver-server.fixture.ts';
import type { ReceivedRequest, ReceiverServer, ServedAnswer } from '../receiver-server.fixture.ts';

export const SLACK_TOKEN = 'xoxb-of-the-test';
export const SLACK_CHANNEL = 'C0123456789';

interface TextObject {
  type: string;
  text: string;
  verbatim?: boolean;
  emoji?: boolean;
}

export interface SlackBlock {
  type: string;
  block_id?: string;
  text?: TextObject;
  elements?: ({ type: string; action_id?: string; value?: string; text?: TextObject | string } & Partial<TextObject>)[];
}

export interface SlackMessage {
  ts: string;
  thread_ts?: string;
  text: string;
  blocks: SlackBlock[];
  metadata?: { event_type: string; event_payload: { key: string; revision: number } };
  edits: number;
}

export interface SlackServer extends ReceiverServer {
  messages: SlackMessage[];
  /** Errors that content was refused with. */
  refusals: string[];
  /** Answers calls of a method with an error, until it is told null. */
  fail(method: string, error: string | null): void;
  /** Calls of a method so far. */
  calls(method: string): number;
}

/** What of a block Slack refuses, as documented of Block Kit. */
function blockProblem(block: SlackBlock): string | undefined {
  const size = (text: TextObject | string | undefined): number => (typeof text === 'string' ? text : (text?.text ?? '')).length;
  const between = (length: number, limit: number): boolean => length >= 1 && length <= limit;
  if (block.type === 'header' && (block.text?.type !== 'plain_text' || !between(size(block.text), SLACK_LIMITS.header)))
    return 'header';
  if (block.type === 'section' && !between(size(block.text), SLACK_LIMITS.section)) return 'section';
  if (block.type === 'context' && !between(block.elements?.length ?? 0, SLACK_LIMITS.contextElements)) return 'context';
  if (block.type === 'context' && block.elements?.some((element) => !between(size(element.text), SLACK_LIMITS.section)))
    return 'context text';
  if (block.type !== 'actions') return undefined;
  if (!between(block.elements?.length ?? 0, SLACK_LIMITS.actionElements)) return 'actions';
  const isWrong = block.elements?.some(
    ({ text, value, action_id: id }) =>
      !between(size(text), SLACK_LIMITS.buttonText) ||
      (value ?? '').length > SLACK_LIMITS.buttonValue ||
      !between((id ?? '').length, SLACK_LIMITS.actionId),
  );
  const ids = new Set(block.elements?.map(({ action_id: id }) => id));
  return isWrong || ids.size < (block.elements?.length ?? 0) ? 'button' : undefined;
}

function contentProblem(text: string, blocks: SlackBlock[], metadata: string): string | undefined {
  if (text === '' && blocks.length === 0) return 'no_text';
  if (text.length > SLACK_LIMITS.text) return 'msg_too_long';
  if (blocks.length > SLACK_LIMITS.blocks || blocks.some((block) => blockProblem(block) !== undefined)) return 'invalid_blocks';
  // Not documented; seen of messages somewhat above 13,000 characters.
  if (JSON.stringify(blocks).length > 13_000) return 'msg_blocks_too_long';
  return Buffer.byteLength(metadata) > SLACK_LIMITS.metadataBytes ? 'metadata_too_large' : undefined;
}

interface State {
  messages: SlackMessage[];
  refusals: string[];
  posted: number;
}

function parsed<T>(fields: URLSearchParams, name: string, fallback: T): T {
  const text = fields.get(name);
  return text === null ? fallback : (JSON.parse(text) as T);
}

function write(
  state: State,
  fields: URLSearchParams,
  change: (message: Omit<SlackMessage, 'ts' | 'edits'>) => string | { error: string },
) {
  const text = fields.get('text') ?? '';
  const blocks = parsed<SlackBlock[]>(fields, 'blocks', []);
  const metadata = fields.get('metadata') ?? '';
  const error = contentProblem(text, blocks, metadata);
  if (error !== undefined) state.refusals.push(error);
  if (error !== undefined) return { ok: false, error };
  const threadTs = fields.get('thread_ts');
  const result = change({
    text,
    blocks,
    ...(metadata !== '' && { metadata: JSON.parse(metadata) as NonNullable<SlackMessage['metadata']> }),
    ...(threadTs !== null && { thread_ts: threadTs }),
  });
  return typeof result === 'string' ? { ok: true, channel: SLACK_CHANNEL, ts: result } : { ok: false, ...result };
}

type Method = (state: State, fields: URLSearchParams) => Record<string, unknown>;

function listed(messages: SlackMessage[], fields: URLSearchParams): Record<string, unknown> {
  const from = Number(fields.get('cursor') ?? 0);
  const limit = Math.min(Number(fields.get('limit') ?? 100), 999);
  const page = messages.slice(from, from + limit).map(({ metadata, edits: _, ...message }) => ({
    ...message,
    // Without this flag Slack tells the type of metadata and not what is in it.
    ...(metadata && { metadata: fields.get('include_all_metadata') === 'true' ? metadata : { event_type: metadata.event_type } }),
  }));
  const next = from + limit < messages.length ? String(from + limit) : '';
  return { ok: true, messages: page, has_more: next !== '', response_metadata: { next_cursor: next } };
}

const METHODS: Record<string, Method> = {
  'chat.postMessage': (state, fields) =>
    write(state, fields, (message) => {
      const ts = `${1_760_000_000 + state.posted++}.000100`;
      state.messages.push({ ...message, ts, edits: 0 });
      return ts;
    }),
  'chat.update': (state, fields) =>
    write(state, fields, (message) => {
      const known = state.messages.find(({ ts }) => ts === fields.get('ts'));
      if (!known) return { error: 'message_not_found' };
      Object.assign(known, message, { edits: known.edits + 1 });
      return known.ts;
    }),
  'conversations.history': (state, fields) =>
    listed(
      state.messages
        .filter(({ ts, thread_ts: thread }) => thread === undefined && Number(ts) > Number(fields.get('oldest') ?? 0))
        .toReversed(),
      fields,
    ),
  'conversations.replies': (state, fields) =>
    listed(
      state.messages.filter(({ ts, thread_ts: thread }) => ts === fields.get('ts') || thread === fields.get('ts')),
      fields,
    ),
};

/** The part of Slack's Web API that HELIOS uses, with its limits, metadata and errors. */
export async function startSlackServer(): Promise<SlackServer> {
  const state: State = { messages: [], refusals: [], posted: 0 };
  const failures = new Map<string, string>();
  const answerTo = ({ path, headers, body }: ReceivedRequest): Record<string, unknown> => {
    const method = path.slice('/api/'.length);
    const fields = new URLSearchParams(body);
    const failure = failures.get(method);
    if (headers.authorization !== `Bearer ${SLACK_TOKEN}`) return { ok: false, error: 'invalid_auth' };
    if (fields.get('channel') !== SLACK_CHANNEL) return { ok: false, error: 'channel_not_found' };
    if (failure !== undefined) return { ok: false, error: failure };
    return METHODS[method]?.(state, fields) ?? { ok: false, error: 'unknown_method' };
  };
  const answer = (request: ReceivedRequest): ServedAnswer => {
    const body = JSON.stringify(answerTo(request));
    return { status: 200, body, headers: { 'content-type': 'application/json; charset=utf-8' } };
  };
  const server = await startReceiverServer(answer);
  return Object.assign(server, {
    ...state,
    fail(method: string, error: string | null) {
      if (error === null) failures.delete(method);
      else failures.set(method, error);
    },
    calls: (method: string) => server.requests.filter(({ path }) => path === `/api/${method}`).length,
  });
}

function texts(message: { text: string; blocks: SlackBlock[] }): TextObject[] {
  const inBlocks = message.blocks.flatMap(({ text, elements }) => [
    ...(text ? [text] : []),
    ...(elements ?? []).flatMap(({ text: inner, ...element }) =>
      typeof inner === 'string' ? [{ ...element, text: inner }] : inner ? [inner] : [],
    ),
  ]);
  return [{ type: 'mrkdwn', text: message.text, verbatim: true }, ...inBlocks];
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** What a person reads. */
export function slackText(message: { text: string; blocks: SlackBlock[] }): string {
  return texts(message)
    .map(({ text }) => unescaped(text.replaceAll(/<[^|>]*\|([^>]*)>/g, '$1')))
    .join('\n');
}

/** What Slack would act on: whatever stands between < and >, and every text that it may look for links in by itself. */
export function slackMarkup(message: { text: string; blocks: SlackBlock[] }): string[] {
  return texts(message).flatMap(({ type, text, verbatim }) => [
    ...[...text.matchAll(/<[^>]*>?/g)].map(([match]) => match),
    ...(type === 'mrkdwn' && verbatim !== true ? [`not verbatim: ${text}`] : []),
    ...[...text.matchAll(/&(?!amp;|lt;|gt;)/g)].map(() => `not escaped: ${text}`),
  ]);
}
