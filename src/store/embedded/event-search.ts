import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../lib/logger.ts';
import { entityMatches } from '../../model/entity.ts';
import type { Event } from '../../model/event.ts';
import type { EventBlock, EventSource } from '../../model/event-block.ts';
import type { EventQuery, Page } from '../store.ts';
import { BlockCache } from './block-cache.ts';
import { checkLimit } from '../cursor.ts';
import type { EventCursor } from './event-cursor.ts';
import { checkKept, decodeEventCursor, encodeEventCursor, LAST_PLACE } from './event-cursor.ts';
import { EventFilter } from './event-filter.ts';
import { EventPage } from './event-page.ts';
import { LineScan } from './line-scan.ts';

const CACHE_BYTES = 64 * 1024 * 1024;
/** A query that has read this much answers with what it has and a cursor to go on from. */
const MAX_SCAN_BYTES = 1024 * 1024 * 1024;

export interface EventSearchOptions {
  source: EventSource;
  committedOffset: () => number;
  logger: Logger;
  /** Bytes one query may read before it hands back a partial page; 1 GiB by default. */
  maxScanBytes?: number;
}

/** Finds raw events in the log's blocks, newest first by event time and then by log position. */
export class EventSearch {
  readonly #options: EventSearchOptions;
  readonly #cache = new BlockCache(CACHE_BYTES);

  constructor(options: EventSearchOptions) {
    this.#options = options;
  }

  /**
   * One page. Blocks overlap in time, so they are read by descending newest time until no unread one can hold an event
   * that belongs on the page. A page may be short, even empty, and still have a cursor: then it stopped at the scan limit.
   */
  async page(query: EventQuery): Promise<Page<Event>> {
    const limit = checkLimit(query.limit);
    const given = query.cursor === undefined ? null : decodeEventCursor(query.cursor);
    const blocks = this.#options.source.blocks(this.#options.committedOffset());
    if (given) checkKept(given, blocks[0]?.firstEvent ?? Infinity);
    const start = given ?? startAt(blocks);
    const filter = new EventFilter(query);
    const { items, next } = await this.#fill(new EventPage(start, limit), candidates(blocks, query, start), query, filter, start);
    return {
      items: items.map(({ line }) => filter.match(line)?.event).filter((event) => event !== undefined),
      nextCursor: next && encodeEventCursor(next),
    };
  }

  async #fill(
    page: EventPage,
    blocks: readonly EventBlock[],
    query: EventQuery,
    filter: EventFilter,
    start: EventCursor,
  ): Promise<ReturnType<EventPage['finish']>> {
    const scan = new LineScan(query);
    const { maxScanBytes = MAX_SCAN_BYTES } = this.#options;
    let scannedBytes = 0;
    for (const block of blocks) {
      if (page.isFull(block.maxTimestampMs)) break;
      if (scannedBytes >= maxScanBytes && block.maxTimestampMs < start.timeMs) return page.finishAbove(block.maxTimestampMs);
      const bytes = this.#read(block);
      scannedBytes += bytes.length;
      scan.forEach(bytes, (line, index) => {
        const match = filter.match(line);
        if (match) page.add({ timeMs: match.timeMs, place: block.firstEvent + index(), line });
      });
      // Other queries and report writes share this thread.
      await setImmediate();
    }
    return page.finish();
  }

  #read(block: EventBlock): Uint8Array {
    try {
      return this.#cache.read(block);
    } catch (error) {
      // Damaged, or removed by retention since it was listed: everything else is still served.
      this.#options.logger.warn('a block of events cannot be read', { offset: block.offset, reason: String(error) });
      return new Uint8Array(0);
    }
  }
}

/** The first page: everything that the log holds now. */
function startAt(blocks: readonly EventBlock[]): EventCursor {
  const last = blocks.at(-1);
  return { timeMs: Number.MAX_SAFE_INTEGER, place: LAST_PLACE, endPlace: last ? last.firstEvent + last.count : 0 };
}

/** Blocks that may hold a matching event, the one with the newest event first. */
function candidates(blocks: readonly EventBlock[], query: EventQuery, start: EventCursor): EventBlock[] {
  const { fromMs = -Infinity, toMs = Infinity, service } = query;
  const kept = blocks.filter((block) => {
    if (block.firstEvent >= start.endPlace || block.minTimestampMs > start.timeMs) return false;
    if (block.maxTimestampMs < fromMs || block.minTimestampMs >= toMs) return false;
    return service === undefined || !block.entities || [...block.entities].some((entity) => entityMatches(entity, service));
  });
  return kept.sort((a, b) => b.maxTimestampMs - a.maxTimestampMs || b.firstEvent - a.firstEvent);
}
