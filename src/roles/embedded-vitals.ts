import type { Vitals } from './vitals.ts';

export interface EmbeddedVitalsOptions {
  /** Next offset of the log of events. */
  committedOffset: () => number;
  /** Next offset that the pipeline has read and stored; 0 until it has said so. */
  nextOffset: () => number;
}

/** Vitals of the one process over embedded storage: how far the pipeline is behind the log. */
export function embeddedVitals({ committedOffset, nextOffset }: EmbeddedVitalsOptions): () => Vitals {
  // A pipeline that found everything done at its start says nothing until there is something to do.
  const startOffset = committedOffset();
  return () => {
    const done = nextOffset() || startOffset;
    return { stages: [{ name: 'events', come: committedOffset(), done }], waits: [] };
  };
}
