import { z } from 'zod';
import { HISTOGRAM_BUCKETS } from '../model/histogram.ts';
import { MAX_ROLLUP_ENDPOINTS } from '../model/rollup.ts';

/**
 * What one partition's detector tells another's of a record: the events of services that the other judges, as sums by sub-window, and
 * how far it has read. As JSON, so that people can read it where they look at records.
 */
const windowSchema = z.strictObject({
  entity: z.string().min(1),
  isLog: z.boolean(),
  /** Start divided by SUB_WINDOW_MS. */
  step: z.int(),
  count: z.int().min(1),
  errorCount: z.int().min(0),
  latencyCount: z.int().min(0),
  latencySum: z.number().min(0),
  latencySquareSum: z.number().min(0),
  /** Occupied buckets of the latency histogram, and the events in each. */
  buckets: z.array(
    z
      .int()
      .min(0)
      .max(HISTOGRAM_BUCKETS - 1),
  ),
  counts: z.array(z.int().min(1)),
  endpoints: z.array(z.string()).max(MAX_ROLLUP_ENDPOINTS),
});
export type PartialWindow = z.output<typeof windowSchema>;

const partialSchema = z.strictObject({
  /** The partition that was read, the record's offset and arrival, and which of several about that record this is. */
  source: z.int().min(0),
  offset: z.int().min(-1),
  receivedAtMs: z.number(),
  part: z.int().min(0),
  /** Event time that the source has passed, milliseconds since the epoch. */
  toMs: z.number(),
  client: z.string(),
  windows: z.array(windowSchema),
});
export type PartialRecord = z.output<typeof partialSchema>;

/** The record that a partial one is about. */
export interface RecordOrigin {
  offset: number;
  receivedAtMs: number;
  clientId: string;
}

/** One for the detector of the partition `home`. */
export interface AddressedPartial {
  home: number;
  partial: PartialRecord;
}

/** A record of the log takes 900 KB, and one window at most about a fifth of that. */
const MAX_TEXT = 300_000;

/** As values of records: several where the windows are too many for one. Repeated, the same windows are cut in the same places. */
export function encodePartial({ windows, ...head }: PartialRecord): Buffer[] {
  const values: Buffer[] = [];
  let texts: string[] = [];
  let length = 0;
  const close = (): void => {
    const start = JSON.stringify({ ...head, part: head.part + values.length });
    values.push(Buffer.from(`${start.slice(0, -1)},"windows":[${texts.join(',')}]}`));
    texts = [];
    length = 0;
  };
  for (const window of windows) {
    const text = JSON.stringify(window);
    if (length > 0 && length + text.length > MAX_TEXT) close();
    texts.push(text);
    length += text.length;
  }
  close();
  return values;
}

/** What a record's value says, or why it says nothing. */
export function decodePartial(bytes: Uint8Array): PartialRecord | { reason: string } {
  try {
    const parsed = partialSchema.safeParse(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()));
    return parsed.success ? parsed.data : { reason: z.prettifyError(parsed.error) };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
