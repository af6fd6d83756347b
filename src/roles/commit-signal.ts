/**
 * The log's committed offset, shared between threads. The reader says when it has nothing to do, and only then is it
 * woken: at full speed no message is sent per commit.
 */
export interface CommitSignal {
  offset: BigInt64Array<SharedArrayBuffer>;
  idle: Int32Array<SharedArrayBuffer>;
}

export function createCommitSignal(): CommitSignal {
  return { offset: new BigInt64Array(new SharedArrayBuffer(8)), idle: new Int32Array(new SharedArrayBuffer(4)) };
}

export function readCommitted(signal: CommitSignal): number {
  return Number(Atomics.load(signal.offset, 0));
}

/** Writer side: publishes the offset; true when the reader waits and has to be woken by a message. */
export function publishCommitted(signal: CommitSignal, nextOffset: number): boolean {
  Atomics.store(signal.offset, 0, BigInt(nextOffset));
  return Atomics.exchange(signal.idle, 0, 0) === 1;
}

/** Reader side: from now on a publish wakes it. The reader looks at the offset once more before it waits. */
export function markIdle(signal: CommitSignal): void {
  Atomics.store(signal.idle, 0, 1);
}
