import type { Prng } from '../src/lib/prng.ts';
import { drawEvent } from './load-event.ts';
import { ID_PLACEHOLDER, TEXT_TIME_PLACEHOLDER } from './load-placeholder.ts';

/** One event of about 200 bytes as a JSON line, without the newline. */
export function eventLine(prng: Prng): string {
  const { service, level, message, latencyMs, endpoint } = drawEvent(prng);
  const metadata = `{"latency_ms":${latencyMs},"endpoint":"${endpoint}","request_id":"req_${ID_PLACEHOLDER}"}`;
  const head = `{"timestamp":"${TEXT_TIME_PLACEHOLDER}","service":"${service}","level":"${level}"`;
  return `${head},"message":"${message}","metadata":${metadata}}`;
}

/** `batch` events, a newline after each. */
export function eventLines(batch: number, prng: Prng): Buffer {
  return Buffer.from(Array.from({ length: batch }, () => `${eventLine(prng)}\n`).join(''), 'latin1');
}
