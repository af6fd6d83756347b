/** Status codes of gRPC that the doors answer with (google.rpc.Code). */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type GrpcStatus = keyof typeof GRPC_STATUS;

/**
 * One table for every operation that can fail: its HTTP and gRPC status, whether a client may retry, and what it means.
 * The reference page docs/errors.md is generated from it.
 */
export const ERROR_CODES = {
  invalid_argument: { status: 400, grpc: 'INVALID_ARGUMENT', retryable: false, title: 'A parameter or body is malformed' },
  invalid_json: { status: 400, grpc: 'INVALID_ARGUMENT', retryable: false, title: 'The body is not JSON' },
  invalid_body: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The body is not the message that the route takes',
  },
  invalid_encoding: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The compressed body is damaged or cut short',
  },
  all_rejected: { status: 400, grpc: 'INVALID_ARGUMENT', retryable: false, title: 'Every event in the request was rejected' },
  unauthenticated: { status: 401, grpc: 'UNAUTHENTICATED', retryable: false, title: 'No API key, or an unknown one' },
  forbidden: { status: 403, grpc: 'PERMISSION_DENIED', retryable: false, title: 'The API key lacks the role or the service' },
  not_found: { status: 404, grpc: 'NOT_FOUND', retryable: false, title: 'No such thing' },
  method_not_allowed: { status: 405, grpc: 'UNIMPLEMENTED', retryable: false, title: 'The path does not take this method' },
  timeout: { status: 408, grpc: 'DEADLINE_EXCEEDED', retryable: true, title: 'The request did not arrive in time' },
  conflict: {
    status: 409,
    grpc: 'ABORTED',
    retryable: true,
    title: 'A request with the same idempotency key is in flight, or the state forbids it',
  },
  gone: { status: 410, grpc: 'FAILED_PRECONDITION', retryable: false, title: 'Retention has passed the cursor' },
  too_large: {
    status: 413,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: false,
    title: 'The body is over the limit, before or after decompression',
  },
  unsupported_media_type: {
    status: 415,
    grpc: 'UNIMPLEMENTED',
    retryable: false,
    title: 'A content type or encoding that is not understood',
  },
  idempotency_mismatch: {
    status: 422,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    title: 'The idempotency key was used with another body',
  },
  rate_limited: {
    status: 429,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: true,
    title: 'The client is over its rate, or over its requests in flight',
  },
  internal: { status: 500, grpc: 'INTERNAL', retryable: true, title: 'A bug or an unexpected failure' },
  log_unavailable: { status: 503, grpc: 'UNAVAILABLE', retryable: true, title: 'The event log cannot commit' },
  disk_full: { status: 503, grpc: 'UNAVAILABLE', retryable: true, title: 'The disk is full' },
  overloaded: { status: 503, grpc: 'UNAVAILABLE', retryable: true, title: 'The memory bound is reached' },
  shutting_down: { status: 503, grpc: 'UNAVAILABLE', retryable: true, title: 'The process is stopping' },
  unavailable: { status: 503, grpc: 'UNAVAILABLE', retryable: true, title: 'A part of the process is not ready' },
  invalid_config: { status: 500, grpc: 'INTERNAL', retryable: false, title: 'The configuration is wrong' },
  data_dir_locked: { status: 500, grpc: 'INTERNAL', retryable: false, title: 'Another process has the data directory open' },
  data_dir_unusable: { status: 500, grpc: 'INTERNAL', retryable: false, title: 'The data directory cannot be read or written' },
  address_unavailable: { status: 500, grpc: 'INTERNAL', retryable: false, title: 'The address or port cannot be bound' },
  corrupt_data: { status: 500, grpc: 'DATA_LOSS', retryable: false, title: 'Stored bytes do not match their checksum or format' },
} as const satisfies Record<string, { status: number; grpc: GrpcStatus; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** The request field, configuration key or file at fault. */
  field?: string;
  /** Seconds after which a retry may work. */
  retryAfterSeconds?: number;
  [key: string]: unknown;
}

/** The one class that operations throw. Messages read "cannot X: Y". Bad records are values, never thrown. */
export class HeliosError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HeliosError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}

/** RFC 9457 problem document, the body of every error answer (`application/problem+json`). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  [key: string]: unknown;
}

export function problemOf(error: HeliosError): Problem {
  const { status, title } = ERROR_CODES[error.code];
  const { retryAfterSeconds: _, ...details } = error.details;
  return { type: `urn:helios:error:${error.code}`, title, status, code: error.code, detail: error.message, ...details };
}

/** The `code` of a Node.js system error ("ENOSPC"), or "". */
export function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
