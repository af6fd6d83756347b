import assert from 'node:assert/strict';
import test from 'node:test';
import { createNames } from '../../model/event-batch.ts';
import { batchOf, eventAt } from '../contract/event-fixture.ts';
import { COPY_HEADER, COPY_TRAILER } from './binary-copy.ts';
import type { Session } from './database.ts';
import { EventCopy } from './event-copy.ts';
import { decodeRows } from './event-rows.fixture.ts';

const names = createNames();

/** Keeps what is copied. */
class Copies {
  readonly inputs: Buffer[] = [];
  readonly statements: string[] = [];
  readonly session = {
    copy: (_sql: string, input: readonly Uint8Array[]) => {
      this.inputs.push(Buffer.concat(input));
      return Promise.resolve();
    },
    execute: (sql: string) => {
      this.statements.push(sql);
      return Promise.resolve();
    },
  } as unknown as Session;

  messages(): unknown[] {
    const bytes = this.inputs.at(-1) as Buffer;
    assert.deepEqual(bytes.subarray(0, COPY_HEADER.length), Buffer.from(COPY_HEADER));
    assert.deepEqual(bytes.subarray(-2), Buffer.from(COPY_TRAILER));
    return decodeRows(bytes.subarray(COPY_HEADER.length, -2)).map(({ message }) => message);
  }
}

function filled(records: number, perRecord: number): EventCopy {
  const events = new EventCopy(0);
  for (let r = 0; r < records; r++) {
    const batch = batchOf(
      names,
      Array.from({ length: perRecord }, (_, i) => eventAt(1000 * r, { message: `${r}/${i}` })),
    );
    events.observe(batch, 10 + r);
    // The scanner takes its batch back.
    batch.bytes.fill(0);
    batch.offset.fill(0);
  }
  return events;
}

test('rows are copied but for those left out, in any part of the whole', async () => {
  const copies = new Copies();
  const events = filled(3, 2);
  await events.store(copies.session, false);
  assert.deepEqual(copies.messages(), ['0/0', '0/1', '1/0', '1/1', '2/0', '2/1']);
  await events.store(copies.session, false, new Set([0, 2, 3, 5]));
  assert.deepEqual(copies.messages(), ['0/1', '2/0']);
  await events.store(copies.session, false, new Set([2]), 1, 4);
  assert.deepEqual(copies.messages(), ['0/1', '1/1']);
  await events.store(copies.session, false, new Set([2]), 2, 3);
  assert.equal(copies.inputs.length, 3, 'nothing is copied where nothing is left');
  assert.equal(copies.statements.length, 0);
  await events.store(copies.session, true);
  assert.match(copies.statements[0] as string, /^SET LOCAL /);
});

test('a row is told by its record, its place and its line', () => {
  const events = filled(3, 2);
  events.observe(batchOf(names, []), 13);
  const { offset, index, line } = events.eventOf(3);
  assert.deepEqual([offset, index], [11, 1]);
  assert.equal((JSON.parse(Buffer.from(line).toString()) as { message: string }).message, '1/1');
  assert.equal(events.eventOf(5).offset, 12);
});

test('the buffers grow with the rows and are used again', async () => {
  const copies = new Copies();
  const events = filled(100, 100);
  assert.equal(events.rowCount, 10_000);
  await events.store(copies.session, false);
  assert.equal(copies.messages().length, 10_000);
  events.clear();
  assert.deepEqual([events.rowCount, events.byteLength], [0, 0]);
  events.observe(batchOf(names, [eventAt(0, { message: 'next' })]), 0);
  await events.store(copies.session, false);
  assert.deepEqual(copies.messages(), ['next']);
});
