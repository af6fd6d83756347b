// Where things lie in the module's memory. What JavaScript teaches comes first, then the names, the window of the body,
// and the columns, which grow to the end of the memory.

/** 512 bytes to compose an entity's id in. */
export const SCRATCH: usize = 0x1_0000;
/** Known words: see simd-words.as.ts. */
export const WORDS: usize = 0x1_1000;
/** Keys as they stood in the last events: see simd-keys.as.ts. */
export const EVENT_KEYS: usize = 0x1_4000;
export const METADATA_KEYS: usize = 0x1_8000;
/** Known names: see simd-names.as.ts. */
export const NAME_SLOTS: usize = 0x2_0000;
export const NAME_SLOT_COUNT: u32 = 0x1_0000;
export const NAME_BYTES: usize = 0x12_0000;
export const NAME_BYTES_END: usize = 0x32_0000;
/** What of the body is being read, then zeros: a zero ends every search, because no valid JSON holds one. */
export const WINDOW: usize = 0x32_0000;
export const WINDOW_BYTES: usize = 0x4_0000;
export const COLUMNS: usize = 0x36_1000;

export let timestamps: usize = 0;
export let latencies: usize = 0;
export let weights: usize = 0;
export let entities: usize = 0;
export let endpoints: usize = 0;
export let versions: usize = 0;
export let traceHashes: usize = 0;
export let spanHashes: usize = 0;
export let parentHashes: usize = 0;
export let offsets: usize = 0;
export let lengths: usize = 0;
export let messageStarts: usize = 0;
export let messageEnds: usize = 0;
export let kinds: usize = 0;
export let levels: usize = 0;

/** Says how many rows the columns have; in the order of `layColumns` (event-batch.ts). */
export function setCapacity(rows: usize): void {
  timestamps = COLUMNS;
  latencies = timestamps + 8 * rows;
  weights = latencies + 8 * rows;
  entities = weights + 8 * rows;
  endpoints = entities + 4 * rows;
  versions = endpoints + 4 * rows;
  traceHashes = versions + 4 * rows;
  spanHashes = traceHashes + 8 * rows;
  parentHashes = spanHashes + 8 * rows;
  offsets = parentHashes + 8 * rows;
  lengths = offsets + 4 * rows;
  messageStarts = lengths + 4 * rows;
  messageEnds = messageStarts + 4 * rows;
  kinds = messageEnds + 4 * rows;
  levels = kinds + rows;
}
