import type { IncomingHttpHeaders } from 'node:http';
import { HeliosError } from '../../lib/errors.ts';
import type { Verdict } from '../handler.ts';
import type { DoorRequest, HttpAnswer, HttpDoor } from '../http-exchange.ts';
import { exportResponse, statusBody } from './answer.ts';
import type { OtlpEncoding, OtlpExport } from './export.ts';

const DOOR = 'otlp_http';

const SIGNALS = ['logs', 'traces', 'metrics'] as const;
type Signal = (typeof SIGNALS)[number];

const CONTENT_TYPES: Record<OtlpEncoding, readonly string[]> = {
  protobuf: ['Content-Type', 'application/x-protobuf'],
  json: ['Content-Type', 'application/json'],
};

/** Undefined for a content type that OTLP does not have. */
function encodingOf(headers: IncomingHttpHeaders): OtlpEncoding | undefined {
  const type = headers['content-type'] ?? '';
  if (type === 'application/x-protobuf') return 'protobuf';
  const bare = type.split(';', 1)[0]?.trim().toLowerCase();
  if (bare === 'application/x-protobuf') return 'protobuf';
  return bare === 'application/json' ? 'json' : undefined;
}

/**
 * OTLP over HTTP (OTLP specification 1.x, section OTLP/HTTP): 200 with the Export*ServiceResponse of the signal, errors as
 * google.rpc.Status, both in the encoding of the request.
 */
class OtlpDoor implements HttpDoor {
  readonly name = DOOR;
  readonly encodings = ['gzip', 'zstd', 'deflate'] as const;
  readonly #signal: Signal;
  readonly #export: OtlpExport;

  constructor(signal: Signal, otlpExport: OtlpExport) {
    this.#signal = signal;
    this.#export = otlpExport;
  }

  check(headers: IncomingHttpHeaders): void {
    if (encodingOf(headers) !== undefined) return;
    const type = (headers['content-type'] ?? '').slice(0, 64);
    throw new HeliosError(
      'unsupported_media_type',
      `cannot read the body: the content type "${type}" is not application/x-protobuf or application/json`,
      { details: { field: 'Content-Type' } },
    );
  }

  take({ headers, sender, body, ticket }: DoorRequest): Promise<Verdict> {
    return this.#export[this.#signal](body, encodingOf(headers) as OtlpEncoding, sender, DOOR, ticket);
  }

  answer(verdict: Verdict, headers: IncomingHttpHeaders): HttpAnswer {
    const encoding = encodingOf(headers) as OtlpEncoding;
    return { status: 200, headers: CONTENT_TYPES[encoding], body: exportResponse(this.#signal, verdict, encoding) };
  }

  /** What came in no encoding of OTLP is answered in the readable one. */
  problem(error: HeliosError, headers: IncomingHttpHeaders): HttpAnswer {
    const encoding = encodingOf(headers) ?? 'json';
    return { status: error.status, headers: CONTENT_TYPES[encoding], body: statusBody(error, encoding) };
  }
}

/** Doors by path. */
export function createOtlpDoors(otlpExport: OtlpExport): Map<string, HttpDoor> {
  return new Map(SIGNALS.map((signal) => [`/v1/${signal}`, new OtlpDoor(signal, otlpExport)]));
}
