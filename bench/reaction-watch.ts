import { systemClock } from '../src/lib/clock.ts';
import { createLogger } from '../src/roles/logger.ts';
import { kafkaConfigSchema } from '../src/log/kafka/config.ts';
import { openKafkaConnection } from '../src/log/kafka/connection.ts';
import { openTopicTail } from '../src/log/kafka/topic-tail.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import type { AlertMessage } from '../src/model/alert.ts';
import type { Anomaly } from '../src/model/anomaly.ts';
import type { Report } from '../src/model/report.ts';
import { EventStreamReader } from './stream-reader.ts';

/** Something came at monotonic time `atMs`. */
export interface Arrival<T> {
  value: T;
  atMs: number;
}

/** What comes of events on its way to people, each once, when it came first. */
export class ReactionWatch implements AsyncDisposable {
  /** Firing anomalies by id, in the topic of the alerts and on the console's stream. */
  readonly inTopic = new Map<string, Arrival<Anomaly>>();
  readonly onStream = new Map<string, Arrival<Anomaly>>();
  /** First reports by incident. */
  readonly reports = new Map<string, Arrival<Report>>();
  /** How long alerts in the topic were ahead of the last partition to say that it is past them, milliseconds. */
  readonly waits: number[] = [];
  readonly #watermarks = new Map<number, number>();
  #ahead: { dueMs: number; atMs: number }[] = [];
  readonly #scope: AsyncDisposableStack;

  private constructor(scope: AsyncDisposableStack) {
    this.#scope = scope;
  }

  static async open(brokers: string, topic: string, consoleUrl: string): Promise<ReactionWatch> {
    await using opening = new AsyncDisposableStack();
    const watch = new ReactionWatch(new AsyncDisposableStack());
    const connection = opening.use(
      openKafkaConnection({
        config: kafkaConfigSchema.parse({ brokers: brokers.split(',') }),
        clientId: 'bench',
        logger: createLogger('warn'),
        clock: systemClock,
        metrics: silentMetrics,
      }),
    );
    opening.use(
      await openTopicTail({
        connection,
        topic,
        fromStart: false,
        onMessage: ({ value }) => {
          const atMs = performance.now();
          for (const line of Buffer.from(value).toString('utf8').split('\n')) {
            if (line !== '') watch.#hear(JSON.parse(line) as AlertMessage, atMs);
          }
        },
      }),
    );
    opening.use(
      await EventStreamReader.open(consoleUrl, ({ type, data, atMs }) => {
        if (type === 'anomaly') noteFiring(watch.onStream, data as Anomaly, atMs);
        if (type === 'report') note(watch.reports, (data as Report).incidentId, data as Report, atMs);
      }),
    );
    watch.#scope.use(opening.move());
    return watch;
  }

  /** From the first alert of an incident on the stream to its first report there, milliseconds. */
  reportDelays(): number[] {
    const firstMs = new Map<string, number>();
    for (const { value, atMs } of this.onStream.values()) {
      if (value.incidentId !== null) firstMs.set(value.incidentId, Math.min(atMs, firstMs.get(value.incidentId) ?? Infinity));
    }
    return [...this.reports].flatMap(([id, { atMs }]) => (firstMs.has(id) ? [atMs - (firstMs.get(id) as number)] : []));
  }

  #hear(message: AlertMessage, atMs: number): void {
    if (message.type === 'anomaly') {
      noteFiring(this.inTopic, message.anomaly, atMs);
      this.#ahead.push({ dueMs: message.atMs, atMs });
    }
    if (message.type !== 'watermark' || message.of !== 'events') return;
    this.#watermarks.set(message.partition, message.watermarkMs);
    const pastMs = Math.min(...this.#watermarks.values());
    for (const { dueMs, atMs: saidMs } of this.#ahead) if (dueMs <= pastMs) this.waits.push(atMs - saidMs);
    this.#ahead = this.#ahead.filter(({ dueMs }) => dueMs > pastMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope.disposeAsync();
  }
}

function noteFiring(arrivals: Map<string, Arrival<Anomaly>>, anomaly: Anomaly, atMs: number): void {
  if (anomaly.state === 'firing') note(arrivals, anomaly.id, anomaly, atMs);
}

function note<T>(arrivals: Map<string, Arrival<T>>, id: string, value: T, atMs: number): void {
  if (!arrivals.has(id)) arrivals.set(id, { value, atMs });
}
