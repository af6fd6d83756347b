import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { App, RouteContext } from './app.ts';
import { SLACK_ACTIONS } from './dependencies.ts';
import type { SlackAction, SlackInteractions } from './dependencies.ts';
import { problemAnswers } from './openapi.ts';

/** Slack's own advice: older requests are somebody's recording. */
const MAX_AGE_MS = 5 * 60_000;
const MAX_BODY_BYTES = 2 ** 20;
const MAX_REMEMBERED = 10_000;
const SEEN_PREFIX = 'interaction/';

/** Of what Slack sends when a button is pressed, the parts that are read. */
const payloadSchema = z.object({
  type: z.literal('block_actions'),
  user: z.object({ id: z.string(), username: z.string().optional(), name: z.string().optional() }),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).max(100),
});

function refuse(reason: string): never {
  throw new HeliosError('unauthenticated', `cannot take the interaction: ${reason}`);
}

/**
 * Checks the signature, version v0: HMAC-SHA256 over "v0:<timestamp>:<body>" with the app's signing secret. Throws `unauthenticated`
 * (https://docs.slack.dev/authentication/verifying-requests-from-slack).
 */
export function checkSlackSignature(
  body: Buffer,
  headers: IncomingHttpHeaders,
  secrets: readonly string[],
  nowMs: number,
): string {
  const timestamp = String(headers['x-slack-request-timestamp'] ?? '');
  const signature = String(headers['x-slack-signature'] ?? '');
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) refuse('it carries no signature of Slack');
  if (Math.abs(nowMs - Number(timestamp) * 1000) > MAX_AGE_MS) refuse('its timestamp is not of the last five minutes');
  const given = Buffer.from(signature);
  let isGood = false;
  for (const secret of secrets) {
    const hash = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
    // All secrets are tried, so that the time tells nothing of which one it was.
    if (timingSafeEqual(Buffer.from(`v0=${hash}`), given)) isGood = true;
  }
  if (!isGood) refuse('its signature is wrong');
  return signature;
}

function actionsOf(body: Buffer): SlackAction[] {
  const text = new URLSearchParams(body.toString('utf8')).get('payload');
  let payload: unknown;
  try {
    payload = JSON.parse(text ?? '');
  } catch (error) {
    throw new HeliosError('invalid_body', 'cannot read the interaction: payload is not JSON', { cause: error });
  }
  const parsed = payloadSchema.safeParse(payload);
  // Another kind of interaction, which no message of ours asks for.
  if (!parsed.success) return [];
  const { user, actions } = parsed.data;
  const name = (user.username ?? user.name ?? user.id).replaceAll(/[\p{C}\p{Z}]+/gu, ' ').slice(0, 100);
  return actions.flatMap(({ action_id: id, value }) => {
    const action = SLACK_ACTIONS.find((known) => known === id);
    return action === undefined || !value || value.length > 200 ? [] : [{ incidentId: value, action, by: `${name} (Slack)` }];
  });
}

/** Refuses what was taken before: by this process at once, by another one before anything is done. */
class SeenInteractions {
  readonly #records: RecordStore;
  readonly #seen = new Map<string, number>();

  constructor(records: RecordStore) {
    this.#records = records;
  }

  add(signature: string, nowMs: number): void {
    if (this.#seen.has(signature)) refuse('it was taken before');
    this.#seen.set(signature, nowMs);
    for (const [other, atMs] of this.#seen) {
      if (nowMs - atMs <= 2 * MAX_AGE_MS && this.#seen.size <= MAX_REMEMBERED) break;
      this.#seen.delete(other);
    }
  }

  /** Whether this process is the first of all to take it. */
  async claim(signature: string, nowMs: number): Promise<boolean> {
    const key = SEEN_PREFIX + createHash('sha256').update(signature).digest('hex');
    const isFirst = await this.#records.write([{ key, value: { atMs: nowMs }, revision: 0 }]);
    const known = await this.#records.list({ prefix: SEEN_PREFIX, limit: 100 });
    const old = known.filter(({ value }) => nowMs - (value as { atMs: number }).atMs > 2 * MAX_AGE_MS);
    for (const record of old) await this.#records.write([{ key: record.key, value: undefined, revision: record.revision }]);
    return isFirst;
  }
}

/** Buttons of messages in Slack. Open to all as to keys: Slack signs what it sends. */
export function addSlackRoutes(
  app: App,
  { slack, store, logger, ...context }: RouteContext & { slack: SlackInteractions },
): void {
  const clock = context.wallClock ?? context.clock;
  const seen = new SeenInteractions(store.records);
  const act = async (actions: readonly SlackAction[], signature: string): Promise<void> => {
    try {
      if (!(await seen.claim(signature, clock.nowMs()))) {
        logger.warn('interaction from Slack refused: it was taken before');
        return;
      }
      for (const action of actions) await slack.onAction(action);
    } catch (error) {
      logger.error('interaction from Slack failed', { error: String(error), actions });
    }
  };
  // The signature is over the bytes, and only this route takes a form.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.post('/api/v1/slack/interactions', {
      schema: {
        operationId: 'takeSlackInteraction',
        tags: ['incidents'],
        summary: 'Where Slack reports that a button of a message was pressed',
        description:
          "The app's interactivity request URL. Signed by Slack (X-Slack-Signature), answered at once, carried out afterwards.",
        response: {
          200: { description: 'Taken', content: { 'text/plain': { schema: z.string() } } },
          ...problemAnswers([400, 401, 404, 413, 415, 503]),
        },
      },
      handler: async ({ body, headers }, reply) => {
        const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
        const nowMs = clock.nowMs();
        const secrets = slack.signingSecrets();
        if (secrets.length === 0)
          throw new HeliosError('not_found', 'cannot take the interaction: no Slack receiver has a signing_secret');
        const signature = checkSlackSignature(bytes, headers, secrets, nowMs);
        const actions = actionsOf(bytes);
        seen.add(signature, nowMs);
        void act(actions, signature);
        return reply.code(200).type('text/plain').send('');
      },
    });
  });
}
