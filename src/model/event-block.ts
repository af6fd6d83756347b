/** A stretch of the log whose events can be looked at together: a frame of a raw segment or a block of a sealed one. */
export interface EventBlock {
  /** Offset of its first record. */
  offset: number;
  /** Number of events that the log had taken before its first one: an event's place in the log, whatever block holds it. */
  firstEvent: number;
  minTimestampMs: number;
  maxTimestampMs: number;
  count: number;
  /** Entity ids inside, or null when not known without reading it. */
  entities: ReadonlySet<string> | null;
  /** Reads it as NDJSON; empty when retention has removed it or it turns out damaged. */
  read(): Uint8Array;
}

/** Where a store that keeps no events of its own finds them: the log's segments. */
export interface EventSource {
  /** Every block now readable below `committedOffset`, in log order; cheap to call again (cached, incremental). */
  blocks(committedOffset: number): EventBlock[];
  /** First offset that retention has left. */
  firstOffset(): number;
  close(): void;
}
