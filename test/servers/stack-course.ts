import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { countEvents, waitFor, waitForEvents } from '../../bench/server-api.ts';
import { StackAudit } from '../../bench/stack-audit.ts';
import type { StoredVerdicts } from '../../bench/stack-audit.ts';
import { StackSender } from '../../bench/stack-sender.ts';
import { HeliosStack } from './helios-stack.ts';
import type { StackOptions } from './helios-stack.ts';
import type { StackPlace } from './stack-place.ts';

const PATIENCE_MS = 120_000;
/** Share of a piece that is sent while something goes wrong; the rest comes when that is over. */
const DURING = 0.9;

/** One request: lines and how many. */
export interface Batch {
  bytes: Uint8Array;
  count: number;
}

export interface StackCourseOptions {
  place: StackPlace;
  /** What is sent, one piece a `run`. */
  pieces: readonly (readonly Batch[])[];
  /** How the stack reaches the database of the place, when not directly. */
  postgres?: string;
  replicas?: StackOptions['replicas'];
}

/** A stack under load, piece by piece of the stream, and what it makes of each. */
export class StackCourse implements AsyncDisposable {
  readonly place: StackPlace;
  readonly stack: HeliosStack;
  readonly audit: StackAudit;
  readonly sender: StackSender;
  /** What is not sent yet. */
  readonly #pieces: (readonly Batch[])[];
  #number = 0;

  private constructor(place: StackPlace, stack: HeliosStack, pieces: readonly (readonly Batch[])[]) {
    this.place = place;
    this.stack = stack;
    this.audit = new StackAudit(place.postgres);
    const doors = stack.names().filter((name) => name.startsWith('ingest'));
    this.sender = new StackSender({ urls: () => doors.map((name) => stack.url(name)) });
    this.#pieces = [...pieces];
  }

  /** Starts the stack; the place goes with the course. */
  static async open({ place, pieces, postgres = place.postgres, replicas = {} }: StackCourseOptions): Promise<StackCourse> {
    const settings = ['store.checkpoint_interval=3s', 'database.statement_timeout=15s', 'database.batch_interval=1s'];
    const args = [...place.args, '--clock', 'events', ...settings.flatMap((setting) => ['--set', setting])];
    return new StackCourse(place, await HeliosStack.start({ kafka: place.kafka, postgres, args, replicas }), pieces);
  }

  /** Sends the next piece while `trouble` lasts: its end only when that is over. */
  async run(trouble: () => Promise<unknown> = () => Promise.resolve(), pace = Infinity): Promise<void> {
    const piece = this.#pieces.shift() as readonly Batch[];
    const last = Math.floor(piece.length * DURING);
    const startMs = performance.now();
    const done = trouble();
    done.catch(() => undefined);
    let sent = 0;
    for (const [i, { bytes, count }] of piece.entries()) {
      if (i === last) await done;
      const aheadMs = (sent / pace) * 1000 - (performance.now() - startMs);
      if (aheadMs > 0 && i < last) await sleep(aheadMs);
      await this.sender.send(bytes, count, `batch-${this.#number++}`);
      sent += count;
    }
  }

  /** What is stored once nothing moves any more: every acknowledged event once, in rows and in the rollups that the API reads. */
  async settled(): Promise<StoredVerdicts> {
    const { audit, sender, stack } = this;
    try {
      await waitForEvents(stack.url('console-0'), sender.acknowledged, PATIENCE_MS);
      let last = '';
      await waitFor('the alerts to be settled', PATIENCE_MS, async () => {
        const now = `${await audit.progress()} ${await audit.behind()} ${await audit.pendingAlerts()} ${await audit.dueReports()}`;
        const isQuiet = now === last && now.endsWith(' 0 0 0');
        last = now;
        if (!isQuiet) await sleep(1000);
        return isQuiet ? true : undefined;
      });
      const expected = { rows: sender.acknowledged, distinct: sender.acknowledged };
      assert.deepEqual(await audit.events(), expected);
      assert.equal(await countEvents(stack.url('console-0')), sender.acknowledged, 'rollups');
      return await audit.verdicts();
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await audit.progress()}\n${stack.said()}`, { cause: error });
    }
  }

  /** Announcements of the very same thing, of which there are none. */
  async repeated(): Promise<unknown[]> {
    return this.audit.query(
      `SELECT event, body, count(*) FROM outbox WHERE event IN ('anomaly', 'report') GROUP BY event, body HAVING count(*) > 1`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sender[Symbol.asyncDispose]();
    await this.stack[Symbol.asyncDispose]();
    await this.audit[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}
