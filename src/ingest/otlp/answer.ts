import { ERROR_CODES, GRPC_STATUS } from '../../lib/errors.ts';
import type { HeliosError } from '../../lib/errors.ts';
import type { Rejection } from '../../model/scanner.ts';
import type { Verdict } from '../handler.ts';
import { ProtobufWriter } from '../protobuf-writer.ts';
import type { OtlpEncoding, OtlpSignal } from './export.ts';

/** Reasons that a partial success spells out. */
const LISTED_REASONS = 5;
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
/** When an error says nothing else. */
const RETRY_SECONDS = 1;

const NAMES: Record<OtlpSignal, { record: string; rejected: string }> = {
  logs: { record: 'log record', rejected: 'rejectedLogRecords' },
  traces: { record: 'span', rejected: 'rejectedSpans' },
  metrics: { record: 'data point', rejected: 'rejectedDataPoints' },
};

const jsonBytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

function reasonOf(record: string, { index, field, reason }: Rejection): string {
  return field === '' ? `${record} ${index} ${reason}` : `${record} ${index}: ${field} ${reason}`;
}

function errorMessage(signal: OtlpSignal, { accepted, rejectedCount, rejections }: Verdict): string {
  const { record } = NAMES[signal];
  const listed = rejections.slice(0, LISTED_REASONS).map((rejection) => reasonOf(record, rejection));
  if (rejectedCount > listed.length) listed.push(`${rejectedCount - listed.length} more`);
  return `${rejectedCount} of ${accepted + rejectedCount} ${record}s rejected: ${listed.join('; ')}`;
}

/**
 * Export*ServiceResponse, whose three kinds number their fields alike: empty, or with partial_success when something was
 * rejected (OTLP specification 1.x, "Partial Success"). `index` in the message counts the request's records from 0.
 */
export function exportResponse(signal: OtlpSignal, verdict: Verdict, encoding: OtlpEncoding): Uint8Array {
  const { rejectedCount } = verdict;
  if (encoding === 'json') {
    if (rejectedCount === 0) return jsonBytes({});
    const partialSuccess = { [NAMES[signal].rejected]: String(rejectedCount), errorMessage: errorMessage(signal, verdict) };
    return jsonBytes({ partialSuccess });
  }
  if (rejectedCount === 0) return new Uint8Array(0);
  const partial = new ProtobufWriter().uint(1, rejectedCount).string(2, errorMessage(signal, verdict));
  return new ProtobufWriter().message(1, partial.finish()).finish();
}

/** google.rpc.Status; with RetryInfo when the same request may succeed later, without which RESOURCE_EXHAUSTED is final. */
export function statusBody(error: HeliosError, encoding: OtlpEncoding): Uint8Array {
  const code = GRPC_STATUS[ERROR_CODES[error.code].grpc];
  const seconds = error.retryable ? Math.ceil(error.details.retryAfterSeconds ?? RETRY_SECONDS) : null;
  if (encoding === 'json') {
    const details = seconds === null ? [] : [{ '@type': RETRY_INFO, retryDelay: `${seconds}s` }];
    return jsonBytes({ code, message: error.message, ...(details.length > 0 && { details }) });
  }
  const status = new ProtobufWriter().uint(1, code).string(2, error.message);
  if (seconds !== null) {
    const delay = new ProtobufWriter().uint(1, seconds).finish();
    const retryInfo = new ProtobufWriter().message(1, delay).finish();
    status.message(3, new ProtobufWriter().string(1, RETRY_INFO).message(2, retryInfo).finish());
  }
  return status.finish();
}
