import { createPrng } from '../src/lib/prng.ts';
import { LOAD_DOORS } from './load-doors.ts';
import { createLoadRequest, RequestWriter } from './load-request.ts';

/** A request of events of this moment, as it travels. */
export function publishBytes(events: number): Buffer {
  const door = LOAD_DOORS.grpc;
  const request = createLoadRequest({ door, host: '', batch: events, idempotency: false, prng: createPrng(1) });
  new RequestWriter(1).stamp(request, Date.now());
  return request.bytes;
}
