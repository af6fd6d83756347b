import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { T0 } from '../contract/store-fixture.ts';
import type { Database, Row, Session } from './database.ts';
import { EventSearch } from './event-search.ts';

const WIDEST_MS = 20_000;
const HOURS_MS = 6 * 3_600_000;

/** A server that gives up on statements over more than 20 s of events, of which it has one, six hours before the newest. */
class SlowServer {
  readonly statements: string[] = [];
  readonly supports = { timescale: null, directCompress: false, copy: true };

  async query(sql: string, values: readonly unknown[] = []): Promise<{ rows: Row[]; rowCount: number }> {
    this.statements.push(sql.split(/\s/, 1)[0] as string);
    const rows = this.#answer(sql, values);
    return { rows, rowCount: rows.length };
  }

  #answer(sql: string, values: readonly unknown[]): Row[] {
    if (sql.includes('min(time)')) return [{ micros: (T0 - HOURS_MS) * 1000 }];
    if (sql.includes('partition_progress')) return [{ log_partition: 0, next_offset: 9 }];
    if (sql.includes('max(last_seen_ms)')) return [{ ms: T0 }];
    if (!sql.includes('FROM events')) return [];
    const [from, to] = (values as string[]).map((value) => Date.parse(value));
    const [fromMs, toMs] = sql.includes('time <') ? [from as number, to as number] : [from as number, T0];
    if (toMs - fromMs > WIDEST_MS) {
      const cause = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
      throw new HeliosError('unavailable', 'cannot query the database: too slow', { cause });
    }
    const ms = T0 - HOURS_MS + 1;
    if (ms < fromMs || ms >= toMs) return [];
    return [{ micros: ms * 1000, log_partition: 0, place: '1', service: 's', level: 2, kind: 0, message: 'found' }];
  }
}

test('a slice of time that takes the server too long is read in narrower ones', async () => {
  const server = new SlowServer();
  const search = new EventSearch({
    database: server as unknown as Database,
    clock: new ManualClock(),
    group: 'g',
    topic: 'events',
    limits: {},
  });
  const page = await search.page(server as unknown as Session, { levels: [], text: 'FOUND', fromMs: T0 - HOURS_MS, limit: 5 });
  assert.deepEqual(
    page.items.map(({ message }) => message),
    ['found'],
  );
  assert.equal(page.nextCursor, null);
  assert.ok(server.statements.includes('ROLLBACK'), 'a statement was given up');
});
