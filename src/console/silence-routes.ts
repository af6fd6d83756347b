import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isoTime, parseTime } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { parseDurationMs } from '../lib/units.ts';
import type { Principal } from '../model/access.ts';
import { SILENCE_PREFIX, silenceState } from '../model/silence.ts';
import type { Silence } from '../model/silence.ts';
import { updateRecords } from '../store/record-store.ts';
import type { RecordStore, StoredRecord } from '../store/record-store.ts';
import type { App, RouteContext } from './app.ts';
import { found } from './incident-routes.ts';
import { limitParameter, parseTimeParameter } from './parameters.ts';
import { pageOf } from './schemas.ts';

const tags = ['silences'];
/** More are a mistake of a script, and each is matched with every incident. */
const MAX_SILENCES = 1000;
const LONGEST_MS = 366 * 86_400_000;
/** How long one that is over is still listed. */
const KEEP_MS = 7 * 86_400_000;
const PAGE = 500;

const idParameter = z.strictObject({ id: z.string().min(1).max(100) });
const glob = z.string().min(1).max(400);
const pattern = z.union([glob, z.array(glob).min(1).max(100)]);
const label = pattern.optional();
const labelsSchema = z.strictObject({ service: label, environment: label, namespace: label, severity: label, signal: label });

const silenceSchema = z.strictObject({
  id: z.string(),
  labels: labelsSchema.meta({ description: 'Globs by label: `*` any characters, `?` one; of a list any one' }),
  from: z.string(),
  to: z.string(),
  by: z.string(),
  comment: z.string(),
  createdAt: z.string(),
  state: z.enum(['pending', 'active', 'expired']),
});

const time = z.union([z.string(), z.number()]).transform((value, context) => {
  const ms = parseTimeParameter(String(value));
  if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: `"${value}" is neither an ISO 8601 time nor milliseconds` });
  return ms;
});

const bodySchema = z
  .strictObject({
    labels: labelsSchema.refine(
      (labels) => Object.keys(labels).length > 0,
      'name at least one label; service: "*" is everything',
    ),
    from: time.optional().meta({ description: 'ISO 8601 or milliseconds since the epoch; absent: now' }),
    to: time.optional().meta({ description: 'ISO 8601 or milliseconds since the epoch, exclusive' }),
    duration: z
      .string()
      .refine((text) => parseDurationMs(text) > 0, 'must be a duration such as 30m or 2h')
      .optional()
      .meta({ description: 'Instead of `to`: how long after `from`, such as 2h' }),
    by: z.string().min(1).max(200).optional(),
    comment: z.string().max(1000).default(''),
  })
  .refine(({ to, duration }) => (to === undefined) !== (duration === undefined), {
    path: ['to'],
    message: 'give either to or duration',
  });
type SilenceBody = z.output<typeof bodySchema>;

function silenceOf(body: SilenceBody, by: string, nowMs: number): Silence {
  const fromMs = body.from ?? nowMs;
  const toMs = body.to ?? fromMs + parseDurationMs(body.duration ?? '');
  const refuse = (reason: string): never => {
    throw new HeliosError('invalid_argument', `cannot silence: to ${reason}`, { details: { field: 'to' } });
  };
  if (toMs <= fromMs) refuse('is not after from');
  if (toMs <= nowMs) refuse('is over already');
  if (toMs - fromMs > LONGEST_MS) refuse('is more than a year after from');
  const { labels, comment } = body;
  const silence = { labels, from: isoTime(fromMs), to: isoTime(toMs), by, comment };
  const id = createHash('sha256')
    .update(JSON.stringify([silence, nowMs]))
    .digest('hex')
    .slice(0, 16);
  return { id: `sil-${id}`, ...silence, createdAt: isoTime(nowMs) };
}

/** A key that may speak for some services silences none of the others. */
function refuseOthers(principal: Principal | null, { service }: SilenceBody['labels']): void {
  if (!principal?.services) return;
  const { services } = principal;
  const named = [service ?? '*'].flat();
  if (named.every((name) => !/[*?]/.test(name) && services(name))) return;
  throw new HeliosError(
    'forbidden',
    'cannot silence: the API key may only name services that it may speak for, without * and ?',
    {
      details: { field: 'labels.service' },
    },
  );
}

async function allSilences(records: RecordStore): Promise<StoredRecord[]> {
  const all: StoredRecord[] = [];
  for (;;) {
    const after = all.at(-1)?.key;
    const page = await records.list({ prefix: SILENCE_PREFIX, limit: PAGE, ...(after !== undefined && { after }) });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

/** Removes those that have been over for a while; answers how many are not over. */
async function tidy(records: RecordStore, nowMs: number): Promise<number> {
  const all = await allSilences(records);
  const valueOf = ({ value }: StoredRecord): Silence => value as Silence;
  for (const record of all) {
    if (parseTime(valueOf(record).to) > nowMs - KEEP_MS) continue;
    await records.write([{ key: record.key, value: undefined, revision: record.revision }]);
  }
  return all.filter((record) => silenceState(valueOf(record), nowMs) !== 'expired').length;
}

function shown(silence: Silence, nowMs: number) {
  return { ...silence, state: silenceState(silence, nowMs) };
}

function addReads(app: App, { store: { records }, withDeadline }: RouteContext, clock: Clock): void {
  app.get('/api/v1/silences', {
    config: { role: 'read' },
    schema: {
      operationId: 'listSilences',
      tags,
      summary: 'Silences, those that end last first; expired ones for a week',
      querystring: z.strictObject({ state: z.enum(['pending', 'active', 'expired']).optional(), limit: limitParameter }),
      response: { 200: pageOf(silenceSchema) },
    },
    handler: async ({ query: { state, limit } }) => {
      const nowMs = clock.nowMs();
      const all = (await withDeadline(allSilences(records))).map(({ value }) => shown(value as Silence, nowMs));
      const items = all.filter((silence) => state === undefined || silence.state === state);
      return { items: items.toSorted((a, b) => (a.to < b.to ? 1 : -1)).slice(0, limit), nextCursor: null };
    },
  });
  app.get('/api/v1/silences/:id', {
    config: { role: 'read' },
    schema: {
      operationId: 'getSilence',
      tags,
      summary: 'One silence',
      params: idParameter,
      response: { 200: silenceSchema },
    },
    handler: async ({ params: { id } }) => {
      const [record] = await withDeadline(records.get([SILENCE_PREFIX + id]));
      return shown(found(record, 'silence', id).value as Silence, clock.nowMs());
    },
  });
}

/** Silences: incidents that nobody is told of for a while. */
export function addSilenceRoutes(app: App, context: RouteContext): void {
  const clock = context.wallClock ?? context.clock;
  const { records } = context.store;
  addReads(app, context, clock);
  app.post('/api/v1/silences', {
    config: { role: 'respond' },
    schema: {
      operationId: 'createSilence',
      tags,
      summary: 'Tell nobody of some incidents for a while',
      description:
        'An incident is silenced while silences and maintenance windows name all of its services. It is still recorded and reported.',
      body: bodySchema,
      response: { 201: silenceSchema },
    },
    handler: async ({ body, principal }, reply) => {
      refuseOthers(principal, body.labels);
      const nowMs = clock.nowMs();
      const silence = silenceOf(body, body.by ?? (principal?.id || 'api'), nowMs);
      if ((await tidy(records, nowMs)) >= MAX_SILENCES) {
        throw new HeliosError('conflict', `cannot silence: there are ${MAX_SILENCES} silences already`);
      }
      const change = { values: new Map([[SILENCE_PREFIX + silence.id, silence]]), answer: undefined };
      await updateRecords(records, [SILENCE_PREFIX + silence.id], () => change);
      return reply.code(201).header('location', `/api/v1/silences/${silence.id}`).send(shown(silence, nowMs));
    },
  });
  app.delete('/api/v1/silences/:id', {
    config: { role: 'respond' },
    schema: {
      operationId: 'expireSilence',
      tags,
      summary: 'End a silence now',
      params: idParameter,
      response: { 200: silenceSchema },
    },
    handler: async ({ params: { id }, principal }) => {
      const key = SILENCE_PREFIX + id;
      const nowMs = clock.nowMs();
      const ended = await updateRecords(records, [key], (values) => {
        const silence = values.get(key) as Silence | undefined;
        if (!silence || silenceState(silence, nowMs) === 'expired') return { values: new Map(), answer: silence };
        refuseOthers(principal, silence.labels);
        const now = isoTime(nowMs);
        const answer = { ...silence, from: silence.from < now ? silence.from : now, to: now };
        return { values: new Map([[key, answer]]), answer };
      });
      return shown(found(ended, 'silence', id), nowMs);
    },
  });
}
