import assert from 'node:assert/strict';
import test from 'node:test';
import { kafkaEvent } from './kafka-event.fixture.ts';
import { isScheduleEvent, readKafkaEvent } from './kafka-event.ts';

test('an event of Amazon MSK is read by partition, in the order of offsets, with its values decoded', () => {
  const event = kafkaEvent([['a', 'b'], [], ['c', null]], { from: 7 }) as { records: Record<string, unknown[]> };
  event.records['anomaly-alerts-0']?.reverse();
  const read = readKafkaEvent(event)?.map(({ name, topic, partition, records }) => {
    return {
      name,
      topic,
      partition,
      texts: records.map(({ offset, bytes }) => [offset, bytes && Buffer.from(bytes).toString()]),
    };
  });
  assert.deepEqual(read, [
    {
      name: 'anomaly-alerts-0',
      topic: 'anomaly-alerts',
      partition: 0,
      texts: [
        [7, 'a'],
        [8, 'b'],
      ],
    },
    {
      name: 'anomaly-alerts-2',
      topic: 'anomaly-alerts',
      partition: 2,
      texts: [
        [7, 'c'],
        [8, null],
      ],
    },
  ]);
});

test('a self-managed cluster is read alike, and other events are not of Kafka', () => {
  assert.deepEqual(readKafkaEvent({ eventSource: 'SelfManagedKafka', records: {} }), []);
  for (const event of [null, 'text', {}, { eventSource: 'aws:sqs', records: {} }]) assert.equal(readKafkaEvent(event), null);
});

test('an event of Kafka of another shape is refused whole: nothing of it may be passed over', () => {
  const bad = [
    undefined,
    { 'anomaly-alerts-0': 'text' },
    { 'anomaly-alerts-0': [{}] },
    { 'anomaly-alerts-0': [null] },
    { 'anomaly-alerts-0': [{ topic: 'anomaly-alerts', partition: 0, offset: -1, value: '' }] },
    { 'anomaly-alerts-0': [{ topic: 'anomaly-alerts', partition: 0.5, offset: 1, value: '' }] },
  ];
  for (const records of bad)
    assert.throws(() => readKafkaEvent({ eventSource: 'aws:kafka', records }), { code: 'invalid_argument' });
});

test('a rule of EventBridge and its scheduler are schedules', () => {
  assert.ok(isScheduleEvent({ source: 'aws.events', 'detail-type': 'Scheduled Event' }));
  assert.ok(isScheduleEvent({ source: 'aws.scheduler' }));
  assert.ok(!isScheduleEvent({ source: 'aws.s3' }));
  assert.ok(!isScheduleEvent(undefined));
});
