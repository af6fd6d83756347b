import { constants } from 'node:http2';
import type { OutgoingHttpHeaders } from 'node:http2';
import { ERROR_CODES, GRPC_STATUS } from '../../lib/errors.ts';
import type { HeliosError } from '../../lib/errors.ts';
import type { Rejection } from '../../model/scanner.ts';
import type { Verdict } from '../handler.ts';
import { statusBody } from '../otlp/answer.ts';
import { ProtobufWriter } from '../protobuf-writer.ts';
import { ACCEPTED_ENCODINGS } from './metadata.ts';
import { PREFIX_BYTES } from './message-reader.ts';

/** Trailers share the client's header limit, often 8 KiB. */
const MAX_MESSAGE_CHARACTERS = 500;

export const RESPONSE_HEADERS: OutgoingHttpHeaders = {
  [constants.HTTP2_HEADER_STATUS]: 200,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
  'grpc-accept-encoding': ACCEPTED_ENCODINGS,
};

export const OK_TRAILERS: OutgoingHttpHeaders = { 'grpc-status': '0' };

/** A message as it travels: never compressed, because answers are small. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** Bytes but printable ASCII, and the percent sign, as %XX (gRPC over HTTP/2, "Percent-Encoded"). */
export function percentEncode(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** The details, google.rpc.Status, say when a retry may work: only then do OTLP clients try again. */
export function errorTrailers(error: HeliosError): OutgoingHttpHeaders {
  const { grpc, retryable } = ERROR_CODES[error.code];
  const trailers: OutgoingHttpHeaders = {
    'grpc-status': String(GRPC_STATUS[grpc]),
    'grpc-message': percentEncode(error.message.slice(0, MAX_MESSAGE_CHARACTERS)),
  };
  if (retryable)
    trailers['grpc-status-details-bin'] = Buffer.from(statusBody(error, 'protobuf')).toString('base64').replace(/=+$/, '');
  return trailers;
}

function encodeRejection({ index, field, reason }: Rejection): Uint8Array {
  return new ProtobufWriter().uint(1, index).string(2, field).string(3, reason).finish();
}

/** helios.v1.PublishResponse. */
export function publishResponse({ accepted, rejectedCount, rejections, replayed }: Verdict): Uint8Array {
  const response = new ProtobufWriter().uint(1, accepted).uint(2, rejectedCount);
  for (const rejection of rejections) response.message(3, encodeRejection(rejection));
  return response.bool(4, replayed).finish();
}
