import type { KafkaConnection } from './connection.ts';
import { FetchLoop } from './fetch-loop.ts';
import type { FetchPartition } from './fetch-partition.ts';

/** Partitions that are fetched for their readers. */
export interface FetchPool extends AsyncDisposable {
  /** Resolves when the broker has said where the partition begins and ends, however long that takes. */
  open(topic: string, partition: number, signal?: AbortSignal): Promise<FetchPartition>;
  close(partition: FetchPartition): void;
  /** Why some partition cannot be fetched now, or null. */
  failure(): Error | null;
}

interface SharedPool {
  users: number;
  loops: FetchLoop[];
}

const pools = new WeakMap<KafkaConnection, SharedPool>();

/**
 * The pool of a connection, shared by all who read over it; the last one who lets go of it closes it. A request can ask for a partition
 * once only, so whoever wants one that another reads already gets it from a further loop.
 */
export function shareFetchPool(connection: KafkaConnection): FetchPool {
  const shared = pools.get(connection) ?? { users: 0, loops: [] };
  pools.set(connection, shared);
  shared.users++;
  let isReleased = false;
  return {
    open(topic, partition, signal) {
      let loop = shared.loops.find((candidate) => candidate.isFree(topic, partition));
      if (!loop) shared.loops.push((loop = new FetchLoop(connection)));
      return loop.open(topic, partition, signal);
    },
    close: (partition) => shared.loops.find((loop) => loop.has(partition))?.close(partition),
    failure: () => shared.loops.map((loop) => loop.failure()).find((failure) => failure !== null) ?? null,
    async [Symbol.asyncDispose]() {
      if (isReleased) return;
      isReleased = true;
      if (--shared.users > 0) return;
      pools.delete(connection);
      await Promise.all(shared.loops.map((loop) => loop.end()));
    },
  };
}
