import type { IncomingHttpHeaders } from 'node:http2';
import { HeliosError } from '../../lib/errors.ts';

/** The encodings that a message may have, as `grpc-accept-encoding` lists them. */
export const ACCEPTED_ENCODINGS = 'identity,gzip,zstd';
export type MessageEncoding = 'identity' | 'gzip' | 'zstd';

const CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/i;
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Whether the messages are protobuf over gRPC; `application/grpc-web` and `+json` are not. */
export function isGrpcContent(contentType: string | undefined): boolean {
  return CONTENT_TYPE.test(contentType ?? '');
}

/** A metadata value; those that occur several times count as their first. */
export function metadataValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Milliseconds that the client waits; Infinity when it does not say. */
export function timeoutMsOf(headers: IncomingHttpHeaders): number {
  const value = metadataValue(headers, 'grpc-timeout');
  if (value === undefined) return Infinity;
  const [, digits, unit] = TIMEOUT.exec(value) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new HeliosError('invalid_argument', 'cannot take the call: its grpc-timeout is not up to 8 digits and a unit', {
      details: { field: 'grpc-timeout' },
    });
  }
  return Number(digits) * (UNIT_MS[unit] as number);
}

/** What compressed messages of the call are compressed with. */
export function encodingOf(headers: IncomingHttpHeaders): MessageEncoding {
  const name = metadataValue(headers, 'grpc-encoding') ?? 'identity';
  if (name === 'identity' || name === 'gzip' || name === 'zstd') return name;
  throw new HeliosError(
    'unsupported_media_type',
    `cannot read the call: the encoding "${name.slice(0, 64)}" is not gzip or zstd`,
    {
      details: { field: 'grpc-encoding' },
    },
  );
}

/** As HTTP/2 counts them (RFC 9113, section 6.5.2): a client learns of the limit only after its first headers. */
export function headerListBytes(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) bytes += name.length + String(headers[name]).length + 32;
  return bytes;
}
