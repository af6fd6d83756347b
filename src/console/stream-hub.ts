import { assert } from '../lib/assert.ts';
import type { Metrics } from '../lib/metrics.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { entityMatches } from '../model/entity.ts';
import { streamCuts, streamEvents, streamReaders } from './metrics.ts';
import { StreamRing } from './stream-ring.ts';
import type { StreamDocuments, StreamEntry, StreamKind } from './stream-ring.ts';

/** The transport's half of a subscription. */
export interface StreamReader {
  /** Sends bytes; false asks to wait with old entries until `Subscription.resume`. */
  write(frame: Uint8Array): boolean;
  /** Bytes written and not yet taken by the network. */
  unsentBytes(): number;
  /** Called once: after everything written has gone out when the hub closes, at once when the reader was too slow. */
  close(reason: 'shutdown' | 'slow'): void;
}

export interface SubscribeRequest {
  reader: StreamReader;
  /** Past it the reader is cut. */
  maxUnsentBytes: number;
  /** The last id that the reader has seen, as it sent it; absent: only what comes from now on. */
  lastEventId?: string;
  /** Empty means all. */
  types: readonly StreamKind[];
  /** Entity id or bare service name. */
  service?: string;
}

export interface Subscription {
  /** The reader can take more. */
  resume(): void;
  /** Sends a keep-alive comment. */
  ping(): void;
  cancel(): void;
}

export interface StreamHubOptions {
  /** Wall clock at start, milliseconds since the epoch; makes ids grow across restarts. */
  startMs: number;
  maxEntries?: number;
  maxBytes?: number;
  metrics?: Metrics;
}

interface Subscriber extends SubscribeRequest {
  /** Next id to look at; only meaningful before `live`. */
  nextId: number;
  /** Has everything in the ring, so that new entries are written at once. */
  live: boolean;
}

const PING = Buffer.from(': ping\n\n');
/** Ids of one run start here: a thousand events a millisecond would have to be published to reach the next run's. */
const IDS_PER_MS = 1000;

function servicesOf<K extends StreamKind>(type: K, document: StreamDocuments[K]): readonly string[] {
  if (type === 'incident') return (document as StreamDocuments['incident']).services;
  if (type === 'simulation') {
    const { service } = document as StreamDocuments['simulation'];
    return service === null ? [] : [service];
  }
  if (type === 'report') return [...new Set((document as StreamDocuments['report']).evidence.map((item) => item.service))];
  return [(document as StreamDocuments['anomaly' | 'change']).service];
}

/**
 * Fans documents out to readers in order of publication, in the framing of server-sent events (WHATWG HTML, section 9.2).
 * A reader that resumes is fed from a bounded ring at its own pace and then goes live; live readers are written to
 * before `publish` returns. Knows nothing of HTTP or time.
 */
export class StreamHub {
  readonly #ring: StreamRing;
  readonly #metrics: Metrics;
  readonly #subscribers = new Set<Subscriber>();
  #closed = false;

  constructor(options: StreamHubOptions) {
    const firstId = options.startMs * IDS_PER_MS + 1;
    assert(Number.isSafeInteger(firstId) && firstId > 0, 'stream ids are safe positive integers');
    this.#ring = new StreamRing(firstId, options.maxEntries ?? 10_000, options.maxBytes ?? 64 * 2 ** 20);
    this.#metrics = options.metrics ?? silentMetrics;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Ignored once closed. */
  publish<K extends StreamKind>(type: K, document: StreamDocuments[K]): void {
    if (this.#closed) return;
    const frame = Buffer.from(`id: ${this.#ring.nextId}\nevent: ${type}\ndata: ${JSON.stringify(document)}\n\n`);
    const entry: StreamEntry = { type, services: servicesOf(type, document), frame };
    this.#ring.push(entry);
    this.#metrics.add(streamEvents, 1, { type });
    for (const subscriber of this.#subscribers) {
      if (subscriber.live) this.#writeLive(subscriber, entry);
      else if (subscriber.nextId < this.#ring.oldestId) this.#cut(subscriber);
    }
  }

  /**
   * Writes a preamble with the id to resume from, then an `event: reset` when what the reader has missed is not all
   * in the ring (its documents must be fetched anew), then what it has missed. Not to be called once closed.
   */
  subscribe(request: SubscribeRequest): Subscription {
    assert(!this.#closed, 'nobody subscribes to a closed hub');
    const subscriber: Subscriber = { ...request, nextId: this.#ring.nextId, live: false };
    this.#subscribers.add(subscriber);
    this.#metrics.set(streamReaders, this.#subscribers.size);
    this.#begin(subscriber);
    this.#feed(subscriber);
    return {
      resume: () => this.#feed(subscriber),
      ping: () => {
        if (this.#subscribers.has(subscriber)) this.#write(subscriber, PING);
      },
      cancel: () => this.#remove(subscriber),
    };
  }

  /** Ends every reader and takes no more. */
  close(): void {
    this.#closed = true;
    for (const subscriber of this.#subscribers) {
      this.#remove(subscriber);
      subscriber.reader.close('shutdown');
    }
  }

  #begin(subscriber: Subscriber): void {
    const { lastEventId, reader } = subscriber;
    const { oldestId, nextId } = this.#ring;
    if (lastEventId === undefined) {
      reader.write(Buffer.from(`: helios\nretry: 1000\nid: ${nextId - 1}\n\n`));
      return;
    }
    const next = /^\d{1,16}$/.test(lastEventId) ? Number(lastEventId) + 1 : NaN;
    if (next >= oldestId && next <= nextId) {
      subscriber.nextId = next;
      reader.write(Buffer.from(`: helios\nretry: 1000\nid: ${lastEventId}\n\n`));
      return;
    }
    subscriber.nextId = oldestId;
    const data = JSON.stringify({ reason: `events after ${lastEventId.slice(0, 64)} are no longer kept: fetch the lists anew` });
    reader.write(Buffer.from(`: helios\nretry: 1000\n\nid: ${oldestId - 1}\nevent: reset\ndata: ${data}\n\n`));
  }

  #feed(subscriber: Subscriber): void {
    if (subscriber.live || !this.#subscribers.has(subscriber)) return;
    while (subscriber.nextId < this.#ring.nextId) {
      const entry = this.#ring.at(subscriber.nextId);
      assert(entry, 'readers that the ring has overtaken are cut when it moves');
      subscriber.nextId++;
      if (this.#matches(subscriber, entry) && !subscriber.reader.write(entry.frame)) return;
    }
    subscriber.live = true;
  }

  #writeLive(subscriber: Subscriber, entry: StreamEntry): void {
    if (this.#matches(subscriber, entry)) this.#write(subscriber, entry.frame);
  }

  #write(subscriber: Subscriber, frame: Uint8Array): void {
    subscriber.reader.write(frame);
    if (subscriber.reader.unsentBytes() > subscriber.maxUnsentBytes) this.#cut(subscriber);
  }

  #matches({ types, service }: Subscriber, entry: StreamEntry): boolean {
    if (types.length > 0 && !types.includes(entry.type)) return false;
    return service === undefined || entry.services.some((id) => entityMatches(id, service));
  }

  #cut(subscriber: Subscriber): void {
    this.#remove(subscriber);
    this.#metrics.add(streamCuts, 1);
    subscriber.reader.close('slow');
  }

  #remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    this.#metrics.set(streamReaders, this.#subscribers.size);
  }
}
