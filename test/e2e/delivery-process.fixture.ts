import { Worker } from 'node:worker_threads';
import { redactionConfigSchema } from '../../src/lib/redaction/config.ts';
import { createRedactor } from '../../src/lib/redaction/redactor.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { silentMetrics } from '../../src/lib/metrics.ts';
import { createPrng } from '../../src/lib/prng.ts';
import type { Incident } from '../../src/model/incident.ts';
import { notifyConfigSchema } from '../../src/report/notify/config.ts';
import { createNotifier } from '../../src/report/notify/create-notifier.ts';
import { createDelivery } from '../../src/report/notify/delivery.ts';
import { deliveryKey, isTransition, messageState } from '../../src/report/notify/delivery-record.ts';
import type { DeliveryRecord } from '../../src/report/notify/delivery-record.ts';
import type { Message, Notifier, Sent } from '../../src/report/notify/notifier.ts';
import { MemoryEventSource } from '../../src/store/contract/event-fixture.ts';
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts';
import type { RecordStore, RecordWrite } from '../../src/store/record-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { DeliveryAnswer, DeliveryOrder, DeliveryProcessOptions, KillPoint } from './delivery-order.fixture.ts';

/** A process that delivers from a store on disk and kills itself where it is told. Only the test beside it starts it, by `fork`. */
const { dir, notify, expected } = JSON.parse(process.argv[2] ?? '{}') as DeliveryProcessOptions;
let kill: KillPoint | null = null;

/** In a thread of its own: it strikes while this one is in the middle of something, also inside the database. */
const flag = new Int32Array(new SharedArrayBuffer(4));
const striker = new Worker(
  `const { workerData } = require('node:worker_threads');
   Atomics.wait(workerData, 0, 0);
   const end = performance.now() + Atomics.load(workerData, 0) / 1000;
   while (performance.now() < end);
   process.kill(process.pid, 'SIGKILL');`,
  { eval: true, workerData: flag },
);
striker.unref();

function strikeAfter(ms: number): void {
  Atomics.store(flag, 0, Math.max(1, Math.round(ms * 1000)));
  Atomics.notify(flag, 0);
}

class FatalNotifier implements Notifier {
  readonly #name: string;
  readonly #inner: Notifier;

  constructor(name: string, inner: Notifier) {
    this.#name = name;
    this.#inner = inner;
  }

  get kind() {
    return this.#inner.kind;
  }

  get supports() {
    return this.#inner.supports;
  }

  async send(message: Message, previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    const own = kill?.receiver === this.#name ? kill : null;
    if (own?.point === 'before_send') process.kill(process.pid, 'SIGKILL');
    if (own?.point === 'during_send') strikeAfter(own.afterMs);
    const sent = await this.#inner.send(message, previous, signal);
    if (own?.point === 'after_send') process.kill(process.pid, 'SIGKILL');
    return sent;
  }
}

/** The writes that record what was sent to the receiver at fault. */
function isRecordOf(receiver: string, { key, value }: RecordWrite): boolean {
  const record = value as DeliveryRecord | undefined;
  return key.startsWith(deliveryKey(receiver, '')) && record?.lease === null && record.sent !== null && record.dueMs === null;
}

function fatalRecords(records: RecordStore): RecordStore {
  return {
    get: (keys) => records.get(keys),
    list: (query) => records.list(query),
    write(writes) {
      if (kill?.point === 'during_record' && writes.some((write) => isRecordOf(kill?.receiver ?? '', write)))
        strikeAfter(kill.afterMs);
      return records.write(writes);
    },
  };
}

async function isInStep(store: Store, incident: Incident, receivers: readonly string[]): Promise<boolean> {
  const records = await store.records.get(receivers.map((name) => deliveryKey(name, incident.id)));
  return (
    records.length === receivers.length &&
    records.every(({ value }) => {
      const { dueMs, lease, sent } = value as DeliveryRecord;
      return dueMs === null && lease === null && !isTransition(sent?.state, messageState(incident, sent));
    })
  );
}

async function run(): Promise<void> {
  const clock = systemClock;
  const source = new MemoryEventSource();
  const store = await openEmbeddedStore({ dir, source, committedOffset: () => 0, clock, logger: silentLogger });
  const { receivers, ...config } = notifyConfigSchema.parse(notify);
  const redactor = createRedactor(redactionConfigSchema.parse({}));
  const options = { redactor, clock, logger: silentLogger, timeoutMs: config.timeout };
  const notifiers = new Map(receivers.map((each) => [each.name, new FatalNotifier(each.name, createNotifier(each, options))]));
  const names = [...notifiers.keys()];
  const seen = { incident: expected };
  const delivery = createDelivery({
    store: Object.defineProperty(store, 'records', { value: fatalRecords(store.records) }),
    notifiers,
    config,
    clock,
    prng: createPrng(process.pid),
    logger: silentLogger,
    metrics: silentMetrics,
    owner: 'the one process over this directory',
  });
  process.on('message', (order: DeliveryOrder) => {
    void (async () => {
      kill = order.kill;
      seen.incident = order.incident;
      await store.put('incident', order.incident);
      await store.put('report', order.report);
      delivery.wake();
    })();
  });
  process.once('disconnect', () => process.exit());
  process.send?.('ready' satisfies DeliveryAnswer);
  clock.every(20, () => {
    const { incident } = seen;
    if (!incident) return;
    void isInStep(store, incident, names).then((isThere) => {
      if (!isThere || seen.incident !== incident) return;
      seen.incident = null;
      process.send?.('in step' satisfies DeliveryAnswer);
    });
  });
}

await run();
