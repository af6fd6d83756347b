import { createPrng } from '../src/lib/prng.ts';
import type { Prng } from '../src/lib/prng.ts';
import { pick } from './load-event.ts';
import { DOOR_NAMES, LOAD_DOORS } from './load-doors.ts';
import type { DoorName } from './load-doors.ts';
import { createLoadRequest, RequestWriter } from './load-request.ts';
import type { LoadRequest } from './load-request.ts';

const RECORDS = [1, 2, 5];
/** Bodies are stamped anew now and then, so that what is left whole of them is taken. */
const STAMP_EVERY = 500;
const NO_ID = 'z';

/** Valid bodies of every door to start from; events in them have ids that no other client sends. */
export class FuzzBodies {
  readonly #requests = new Map<DoorName, LoadRequest[]>();
  #taken = 0;

  constructor(seed: number) {
    const prng = createPrng(seed);
    for (const name of DOOR_NAMES) {
      const options = { door: LOAD_DOORS[name], host: 'localhost', idempotency: false, prng };
      this.#requests.set(
        name,
        RECORDS.map((batch) => createLoadRequest({ ...options, batch })),
      );
    }
  }

  take(door: DoorName, prng: Prng): Buffer {
    if (this.#taken++ % STAMP_EVERY === 0) this.#stamp();
    const { bytes, bodyLength } = pick(this.#requests.get(door) ?? [], prng);
    return bytes.subarray(bytes.length - bodyLength);
  }

  #stamp(): void {
    for (const [index, requests] of [...this.#requests.values()].entries()) {
      const writer = new RequestWriter(index);
      for (const request of requests) {
        writer.stamp(request, Date.now());
        for (const at of request.idOffsets) request.bytes.fill(NO_ID, at, at + 8);
        for (const at of request.valueOffsets) request.bytes.writeDoubleLE(-1, at);
      }
    }
  }
}

function attribute(key: string, value: unknown): object {
  return { key, value };
}

/** The JSON forms of OTLP, which the load client does not send. */
export function otlpJson(signal: 'logs' | 'metrics' | 'traces'): Buffer {
  const nanos = `${Date.now()}000000`;
  const resource = { attributes: [attribute('service.name', { stringValue: 'fuzz' }), attribute('n', { intValue: '7' })] };
  const attributes = [attribute('list', { arrayValue: { values: [{ boolValue: true }, { doubleValue: 0.5 }] } })];
  const log = { timeUnixNano: nanos, severityNumber: 9, body: { stringValue: 'text' }, attributes, traceId: '5b8efff798038103' };
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'GET', kind: 2, attributes };
  const point = { timeUnixNano: nanos, asDouble: -1, attributes };
  const buckets = { timeUnixNano: nanos, count: '3', sum: 1, bucketCounts: ['1', '2'], explicitBounds: [1], attributes };
  const metrics = [
    { name: 'fuzz.gauge', gauge: { dataPoints: [point] } },
    { name: 'fuzz.histogram', histogram: { aggregationTemporality: 2, dataPoints: [buckets] } },
  ];
  const documents = {
    logs: { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [log] }] }] },
    traces: {
      resourceSpans: [{ resource, scopeSpans: [{ spans: [{ ...span, startTimeUnixNano: nanos, endTimeUnixNano: nanos }] }] }],
    },
    metrics: { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] },
  };
  return Buffer.from(JSON.stringify(documents[signal]));
}
