import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { lambdaConfigSchema } from './lambda/config.ts';
import type { LambdaConfig } from './lambda/config.ts';
import { kafkaEvent } from './lambda/kafka-event.fixture.ts';
import { createLambdaHandler } from './lambda.ts';
import type { BatchStop, InvokedReporter, LambdaHandler } from './lambda.ts';

const CONTEXT = { getRemainingTimeInMillis: () => 60_000 };
const EVENT = kafkaEvent([['a', 'b'], ['c']], { from: 100 });
const AWAY = new HeliosError('unavailable', 'cannot connect: the database is away, a test says so');

function handlerOf(reporter: Partial<InvokedReporter>, config: Partial<LambdaConfig> = {}): LambdaHandler {
  const whole = { keep: async () => [], work: async () => ({ alerts: 0, reports: 0 }), ...reporter };
  const { clock, logger } = { clock: systemClock, logger: silentLogger };
  return createLambdaHandler({ config: { ...lambdaConfigSchema.parse({}), ...config }, open: async () => whole, clock, logger });
}

const stopAt = (name: string, offset: number): BatchStop => ({ name, offset, reason: 'a test says so' });

test('what is kept whole is answered with no failures', async () => {
  assert.deepEqual(await handlerOf({})(EVENT, CONTEXT), { batchItemFailures: [] });
});

test('of a partition that is kept in part the first offset that failed is answered, and the others are done', async () => {
  const stops = [stopAt('anomaly-alerts-0', 101)];
  let works = 0;
  const handler = handlerOf({
    keep: async () => stops,
    work: async () => {
      works++;
      return { alerts: 1, reports: 1 };
    },
  });
  assert.deepEqual(await handler(EVENT, CONTEXT), {
    batchItemFailures: [{ itemIdentifier: { partition: 'anomaly-alerts-0', offset: 101 } }],
  });
  assert.equal(works, 1);
});

test('the invocation fails when nothing is kept, or when the mapping does not read partial answers', async () => {
  const nothing = handlerOf({ keep: async () => [stopAt('anomaly-alerts-0', 100), stopAt('anomaly-alerts-1', 100)] });
  await assert.rejects(nothing(EVENT, CONTEXT), { code: 'unavailable' });
  const whole = handlerOf({ keep: async () => [stopAt('anomaly-alerts-0', 101)] }, { partial_batches: false });
  await assert.rejects(whole(EVENT, CONTEXT), { code: 'unavailable' });
});

test('alerts of which no incidents can be made are brought again', async () => {
  const handler = handlerOf({ work: () => Promise.reject(AWAY) });
  await assert.rejects(handler(EVENT, CONTEXT), /cannot keep anomaly-alerts-0 from offset 100 on: cannot connect/);
  await assert.rejects(handler({ source: 'aws.events' }, CONTEXT), AWAY);
});

test('a schedule does the work without keeping anything, another event is refused', async () => {
  const kept: number[] = [];
  const handler = handlerOf({
    keep: async (batches) => {
      kept.push(batches.length);
      return [];
    },
  });
  assert.deepEqual(await handler({ source: 'aws.events' }, CONTEXT), { batchItemFailures: [] });
  assert.deepEqual(kept, [0]);
  await assert.rejects(handler({ Records: [] }, CONTEXT), { code: 'invalid_argument' });
});

test('the reporter is opened at the start, once, and again after a failure', async () => {
  let opened = 0;
  const open = async (): Promise<InvokedReporter> => {
    if (opened++ === 0) throw AWAY;
    return { keep: async () => [], work: async () => ({ alerts: 0, reports: 0 }) };
  };
  const config = lambdaConfigSchema.parse({});
  const handler = createLambdaHandler({ config, open, clock: systemClock, logger: silentLogger });
  await systemClock.sleep(0);
  assert.equal(opened, 1);
  for (let i = 0; i < 3; i++) await handler(EVENT, CONTEXT);
  assert.equal(opened, 2);
});

test('no report is begun in the last seconds of an invocation', async () => {
  const asked: boolean[] = [];
  const work = async (isOver: () => boolean): Promise<{ alerts: number; reports: number }> => {
    asked.push(isOver());
    return { alerts: 0, reports: 0 };
  };
  const handler = handlerOf({ work }, { reserve: 3000 });
  await handler(EVENT, { getRemainingTimeInMillis: () => 2999 });
  await handler(EVENT, { getRemainingTimeInMillis: () => 3000 });
  assert.deepEqual(asked, [true, false]);
});
