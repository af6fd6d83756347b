import { z } from 'zod';
import type { CapStatus, CostReport, Receipt, ReceiptSummary, SpendingReader } from '../model/spending.ts';
import type { App, RouteContext } from './app.ts';
import { found } from './incident-routes.ts';
import { present, timeParameter } from './parameters.ts';
import { pageOf } from './schemas.ts';

const read = { config: { role: 'read' } } as const;
const tags = ['costs'];
const idParameter = z.strictObject({ id: z.string().min(1).max(400) });

const usageShape = { calls: z.int(), inputTokens: z.int(), outputTokens: z.int(), costUsd: z.number() };
const usd = z.number().min(0);

const capSchema = z.strictObject({
  limitUsd: usd.nullable().meta({ description: 'null: no cap' }),
  spentUsd: usd,
  reservedUsd: usd.meta({ description: 'Set aside for requests under way' }),
}) satisfies z.ZodType<CapStatus>;

const costsSchema = z
  .strictObject({
    from: z.string().meta({ format: 'date', description: 'Day in UTC, included' }),
    to: z.string().meta({ format: 'date', description: 'Day in UTC, included' }),
    items: z.array(z.strictObject({ key: z.string().meta({ description: 'The service, or the day' }), ...usageShape })),
    total: z.strictObject(usageShape),
    caps: z
      .strictObject({ day: capSchema, month: capSchema })
      .meta({ description: 'Of today and this month, whatever the range' }),
  })
  .meta({ id: 'Costs', description: 'What language models were paid for' }) satisfies z.ZodType<CostReport>;

const receiptShape = {
  id: z.string(),
  incidentId: z.string(),
  at: z.string().meta({ format: 'date-time' }),
  provider: z.string(),
  model: z.string(),
  promptVersion: z.string(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costUsd: z.number(),
  outcome: z.string().meta({ description: 'answered, or why nothing came of it' }),
  sentLength: z.int().meta({ description: 'Bytes' }),
  receivedLength: z.int().meta({ description: 'Bytes' }),
};
const summarySchema = z
  .strictObject(receiptShape)
  .meta({ id: 'ReceiptSummary', description: 'One request to a language model' }) satisfies z.ZodType<ReceiptSummary>;
const receiptSchema = z
  .strictObject({
    ...receiptShape,
    sent: z.string().meta({ description: 'The exact body that was sent, or its beginning where isCut' }),
    encoding: z.enum(['text', 'base64']),
    isCut: z.boolean(),
    sentSha256: z.string().meta({ description: 'Of the whole body, hexadecimal' }),
  })
  .meta({ id: 'Receipt', description: 'One request to a language model, byte for byte' }) satisfies z.ZodType<Receipt>;

/** What language models were sent, and what it has cost. */
export function addSpendingRoutes(
  app: App,
  { store, spending, withDeadline }: RouteContext & { spending: SpendingReader },
): void {
  app.get('/api/v1/costs', {
    ...read,
    schema: {
      operationId: 'getCosts',
      tags,
      summary: 'Calls, tokens and USD of language models, by service or day',
      querystring: z.strictObject({
        from: timeParameter.optional().meta({ description: 'First day (UTC); absent: 30 days up to `to`' }),
        to: timeParameter.optional().meta({ description: 'Last day (UTC), included; absent: today' }),
        by: z.enum(['service', 'day']).default('service'),
      }),
      response: { 200: costsSchema },
    },
    handler: ({ query: { from, to, by } }) => withDeadline(spending.costs({ by, ...present({ fromMs: from, toMs: to }) })),
  });
  app.get('/api/v1/incidents/:id/receipts', {
    ...read,
    schema: {
      operationId: 'listReceipts',
      tags,
      summary: 'Requests to language models for an incident, oldest first',
      params: idParameter,
      response: { 200: pageOf(summarySchema) },
    },
    handler: async ({ params: { id } }) => {
      const items = await withDeadline(spending.receipts(id));
      if (items.length === 0) found(await withDeadline(store.get('incident', id)), 'incident', id);
      return { items, nextCursor: null };
    },
  });
  app.get('/api/v1/receipts/:id', {
    ...read,
    schema: {
      operationId: 'getReceipt',
      tags,
      summary: 'The exact bytes of one request to a language model',
      params: idParameter,
      response: { 200: receiptSchema },
    },
    handler: async ({ params: { id } }) => found(await withDeadline(spending.receipt(id)), 'receipt', id),
  });
}
