import type { Prng } from '../src/lib/prng.ts';
import { LOAD_SERVICES, pick } from './load-event.ts';
import { offsetsOf, VALUE_PLACEHOLDER, VARINT_TIME_PLACEHOLDER } from './load-placeholder.ts';
import { fixed64Field, lengthField, varint } from './protobuf-fields.ts';
import { snappyBlock } from './snappy-block.ts';

const NAMES = ['http_requests_total', 'process_cpu_seconds_total', 'go_goroutines', 'node_network_receive_bytes_total'];
const CODES = ['200', '404', '500'];
const TIMESTAMP_TAG = varint(2 * 8);

function label([name, value]: readonly [string, string]): Buffer {
  return lengthField(1, lengthField(1, name), lengthField(2, value));
}

/** One sample; labels in the order of their names, as the specification wants them. */
function series(index: number, job: string, instance: string): Buffer {
  const labels = [
    ['__name__', NAMES[index % NAMES.length] ?? ''],
    ['code', CODES[index % CODES.length] ?? ''],
    ['handler', `/api/${index}`],
    ['instance', instance],
    ['job', job],
  ] as const;
  const sample = [fixed64Field(1, VALUE_PLACEHOLDER), TIMESTAMP_TAG, VARINT_TIME_PLACEHOLDER];
  return lengthField(1, ...labels.map(label), lengthField(2, ...sample));
}

/** Sets every byte that is rewritten before a send. */
function variableBytes(bytes: Buffer): Uint8Array {
  const isVariable = new Uint8Array(bytes.length);
  for (const placeholder of [VALUE_PLACEHOLDER, VARINT_TIME_PLACEHOLDER]) {
    for (const at of offsetsOf(bytes, placeholder)) isVariable.fill(1, at, at + placeholder.length);
  }
  return isVariable;
}

/**
 * `prometheus.WriteRequest` of remote write 1.0 in a Snappy block. Each request has series of its own, as one scrape of one
 * target has, which every send continues.
 */
export function writeRequest(records: number, prng: Prng): Buffer {
  const job = pick(LOAD_SERVICES, prng);
  const instance = `10.0.${prng.below(256)}.${prng.below(256)}:${1024 + prng.below(60_000)}`;
  const bytes = Buffer.concat(Array.from({ length: records }, (_, i) => series(i, job, instance)));
  return snappyBlock(bytes, variableBytes(bytes));
}
