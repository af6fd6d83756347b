import { createPrng } from '../src/lib/prng.ts';
import { mixId } from './load-request.ts';

const SERVICES = 40;
const ENDPOINTS = 6;
const HEALTHY_ERROR_RATE = 0.01;
const FAULTY_ERROR_RATE = 0.5;

/**
 * Steady, healthy traffic of a fleet at a constant rate, as NDJSON of about 200 bytes an event; services at fault fail half
 * of their requests. The same seed gives the same events.
 */
export class LatencyTraffic {
  readonly services = Array.from({ length: SERVICES }, (_, i) => `service-${String(i).padStart(2, '0')}`);
  readonly faulty = new Set<string>();
  readonly #prng;
  readonly #eventsPerMs: number;
  #count = 0;

  constructor(seed: number, eventsPerSecond: number) {
    this.#prng = createPrng(seed);
    this.#eventsPerMs = eventsPerSecond / 1000;
  }

  /** `count` events whose times are spread evenly over `[fromMs, fromMs + count / rate)`. */
  batch(fromMs: number, count: number): string {
    let text = '';
    for (let i = 0; i < count; i++) text += this.#event(fromMs + i / this.#eventsPerMs);
    return text;
  }

  #event(ms: number): string {
    const prng = this.#prng;
    const service = this.services[prng.below(SERVICES)] as string;
    const fails = prng.next() < (this.faulty.has(service) ? FAULTY_ERROR_RATE : HEALTHY_ERROR_RATE);
    const latencyMs = Math.round(Math.exp(3.5 + 0.5 * prng.normal()) * 100) / 100;
    const id = mixId(this.#count++)
      .toString(16)
      .padStart(8, '0');
    const message = fails ? `Request ${id} failed: upstream closed the connection` : `Request ${id} completed`;
    const metadata = `{"latency_ms":${latencyMs},"endpoint":"/v1/resource/${prng.below(ENDPOINTS)}","request_id":"req_${id}"}`;
    const head = `{"timestamp":"${new Date(ms).toISOString()}","service":"${service}","level":"${fails ? 'ERROR' : 'INFO'}"`;
    return `${head},"message":"${message}","metadata":${metadata}}\n`;
  }
}

/** A whole request for a LoadConnection. */
export function postRequest(url: URL, body: string): Buffer {
  const head = [
    `POST ${url.pathname} HTTP/1.1`,
    `Host: ${url.host}`,
    'Content-Type: application/x-ndjson',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
