import { execFile } from 'node:child_process';
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { waitFor } from '../../bench/server-api.ts';
import { StackAudit } from '../../bench/stack-audit.ts';
import { StackSender } from '../../bench/stack-sender.ts';
import { HeliosStack } from '../servers/helios-stack.ts';
import type { StackRole } from '../servers/helios-stack.ts';
import { serverAddress } from '../servers/server-address.fixture.ts';
import { StackPlace } from '../servers/stack-place.ts';

const run = promisify(execFile);
export const LAUNCHER = path.join(import.meta.dirname, '../../bin/helios');
export const PATIENCE_MS = 60_000;
/** Of every topic. */
export const PARTITIONS = 2;

interface Exit {
  code: number;
  text: string;
}

/** Runs the program to its end. */
export async function helios(...args: string[]): Promise<Exit> {
  try {
    const { stdout, stderr } = await run(LAUNCHER, args, { cwd: tmpdir(), timeout: PATIENCE_MS });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

/** Events of one service, a millisecond apart, each with a span of its own number. */
export function lines(service: string, from: number, count: number, more: object = {}): Buffer {
  const at = Date.now() - 60_000;
  const events = Array.from({ length: count }, (_, i) => ({
    timestamp: new Date(at + i).toISOString(),
    service,
    level: 'INFO',
    message: `event ${from + i}`,
    span_id: (from + i).toString(16).padStart(16, '0'),
    ...more,
  }));
  return Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/** A stack without the roles that a test has no use for, over topics and a database of its own. */
export class Days implements AsyncDisposable {
  readonly place: StackPlace;
  readonly stack: HeliosStack;
  readonly audit: StackAudit;
  readonly #sender: StackSender;
  readonly topic: string;
  #sent = 0;

  private constructor(place: StackPlace, stack: HeliosStack) {
    this.place = place;
    this.stack = stack;
    this.audit = new StackAudit(place.postgres);
    this.#sender = new StackSender({ urls: () => [stack.url('ingest-0')] });
    this.topic = (place.args.find((arg) => arg.startsWith('kafka.topic_events=')) as string).split('=')[1] as string;
  }

  static async begin(roles: readonly StackRole[], args: readonly string[] = []): Promise<Days> {
    const place = await StackPlace.open(serverAddress('kafka') as string, serverAddress('postgres') as string);
    try {
      const none = { ingest: 0, store: 0, detect: 0, report: 0, console: 0 };
      const replicas = { ...none, ...Object.fromEntries(roles.map((role) => [role, 1])) };
      const stack = await HeliosStack.start({
        kafka: place.kafka,
        postgres: place.postgres,
        args: [...place.args, '--set', `kafka.partitions=${PARTITIONS}`, ...args],
        replicas,
      });
      return new Days(place, stack);
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Flags for commands that work on the same place. */
  get flags(): string[] {
    return [...this.place.args, '--set', `kafka.brokers=${this.place.kafka}`];
  }

  async send(count: number, service = 'shop', more: object = {}): Promise<void> {
    await this.#sender.send(lines(service, this.#sent, count, more), count, `batch-${this.#sent}`);
    this.#sent += count;
  }

  /** Waits until this many events are stored, and says that none is stored twice. */
  async stored(count: number): Promise<void> {
    try {
      await waitFor(`${count} stored events`, PATIENCE_MS, async () => {
        const { rows } = await this.audit.events();
        return rows >= count ? true : undefined;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.stack.said()}`, { cause: error });
    }
    assert.deepEqual(await this.audit.events(), { rows: count, distinct: count });
  }

  async admin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: this.place.kafka.split(',') });
    try {
      return await work(admin);
    } finally {
      await admin.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]();
    await this.#sender[Symbol.asyncDispose]();
    await this.audit[Symbol.asyncDispose]();
    await this.place[Symbol.asyncDispose]();
  }
}

/** A record as another program writes it. */
export async function produce(days: Days, topic: string, value: string): Promise<void> {
  const producer = new Producer({
    clientId: 'elsewhere',
    bootstrapBrokers: days.place.kafka.split(','),
    serializers: stringSerializers,
  });
  await producer.send({ messages: [{ topic, partition: 0, value }] });
  await producer.close();
}

/** The sample whose line begins so; 0 where there is none. */
export async function metric(url: string, start: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const line = text.split('\n').find((each) => each.startsWith(start));
  return line === undefined ? 0 : Number(line.split(' ').at(-1));
}

/** Names of the dead letters of the events. */
export async function letters(days: Days): Promise<string[]> {
  const { text } = await helios('dlq', 'list', '--json', '--topic', days.topic, ...days.flags);
  return (JSON.parse(text) as { items: { name: string }[] }).items.map(({ name }) => name);
}
