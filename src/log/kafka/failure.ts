import { systemCode } from '../../lib/errors.ts';

/**
 * What a failure means for whoever has to go on. `passing`: try again (network, leader change, broker restart). `credentials`:
 * the broker does not accept who we are, or we do not accept its certificate. `forbidden`: it does, but not what we want. `missing`: there is no such topic.
 * `too_large`: the record is over the broker's or topic's limit. `rejected`: the broker will never take these bytes.
 * `state_lost`: it has forgotten the idempotent producer.
 */
export type FailureKind = 'passing' | 'credentials' | 'forbidden' | 'missing' | 'too_large' | 'rejected' | 'state_lost';

export interface KafkaFailure {
  kind: FailureKind;
  /** The Y of "cannot X: Y". */
  reason: string;
  /** The protocol's name of the error ("NOT_LEADER_OR_FOLLOWER"), the system's ("ECONNREFUSED"), or the client's; for metrics. */
  code: string;
}

interface ClientError {
  code?: unknown;
  apiId?: unknown;
  message?: unknown;
  serverErrorMessage?: unknown;
  cause?: unknown;
  errors?: unknown;
}

const KINDS: Readonly<Record<string, FailureKind>> = {
  SASL_AUTHENTICATION_FAILED: 'credentials',
  UNSUPPORTED_SASL_MECHANISM: 'credentials',
  ILLEGAL_SASL_STATE: 'credentials',
  PLT_KFK_AUTHENTICATION: 'credentials',
  TOPIC_AUTHORIZATION_FAILED: 'forbidden',
  CLUSTER_AUTHORIZATION_FAILED: 'forbidden',
  GROUP_AUTHORIZATION_FAILED: 'forbidden',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'forbidden',
  POLICY_VIOLATION: 'forbidden',
  UNKNOWN_TOPIC_OR_PARTITION: 'missing',
  UNKNOWN_TOPIC_ID: 'missing',
  MESSAGE_TOO_LARGE: 'too_large',
  RECORD_LIST_TOO_LARGE: 'too_large',
  INVALID_RECORD: 'rejected',
  INVALID_TIMESTAMP: 'rejected',
  UNSUPPORTED_COMPRESSION_TYPE: 'rejected',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'rejected',
  UNKNOWN_PRODUCER_ID: 'state_lost',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'state_lost',
  INVALID_PRODUCER_EPOCH: 'state_lost',
  INVALID_PRODUCER_ID_MAPPING: 'state_lost',
};

/** What decides when a failure has several parts: the first kind of this list. */
const PRECEDENCE: readonly FailureKind[] = [
  'credentials',
  'too_large',
  'rejected',
  'state_lost',
  'forbidden',
  'missing',
  'passing',
];

/** How the client says that it was answered in TLS. */
const TLS_MISSING = 'Broker requires TLS.';
const CERTIFICATE_CODES = /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;
const MAX_DEPTH = 8;

/** Every error inside of an error: what it gathers and what caused it. */
function* partsOf(error: unknown, depth = 0): Generator<ClientError> {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return;
  const part = error as ClientError;
  yield part;
  yield* partsOf(part.cause, depth + 1);
  if (Array.isArray(part.errors)) for (const inner of part.errors as unknown[]) yield* partsOf(inner, depth + 1);
}

function codeOf({ apiId, code }: ClientError): string {
  if (typeof apiId === 'string') return apiId;
  return typeof code === 'string' ? code : '';
}

function kindOf(part: ClientError): FailureKind {
  const kind = KINDS[codeOf(part)];
  if (kind) return kind;
  if (CERTIFICATE_CODES.test(codeOf(part)) || part.message === TLS_MISSING) return 'credentials';
  // The client has no error of its own for a topic that metadata does not know.
  return String(part.message).startsWith('Unknown topic ') ? 'missing' : 'passing';
}

function hostOf(part: ClientError): string {
  const { hostname, address, port } = part as { hostname?: string; address?: string; port?: number };
  return hostname ?? (address === undefined ? 'the broker' : `${address}:${port}`);
}

function sentenceOf(part: ClientError): string {
  const code = codeOf(part);
  const said =
    typeof part.serverErrorMessage === 'string' && part.serverErrorMessage !== '' ? ` (${part.serverErrorMessage})` : '';
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host ${hostOf(part)} is not known`;
    case 'ECONNREFUSED':
      return `nothing listens at ${hostOf(part)}`;
    case 'SASL_AUTHENTICATION_FAILED':
      return `the broker refuses the credentials${said}`;
    case 'UNSUPPORTED_SASL_MECHANISM':
      return 'the broker does not offer the SASL mechanism that is configured';
    default:
  }
  if (CERTIFICATE_CODES.test(code)) return `the broker's TLS certificate is not accepted: ${String(part.message)}`;
  if (typeof part.apiId === 'string') return `the broker answers ${part.apiId}${said}`;
  if (part.message === TLS_MISSING) return 'the broker speaks TLS, and kafka.tls is off';
  if (part.message === 'Connection closed') return 'the broker closes the connection (it does so when TLS or SASL is missing)';
  return String(part.message).replace(/\.$/, '');
}

/** Of several parts the one that says most: the deepest with a code of its own. */
function tellingPart(parts: readonly ClientError[]): ClientError {
  const isOwn = (part: ClientError): boolean => /^PLT_KFK_(?!AUTHENTICATION|USER)/.test(codeOf(part)) || codeOf(part) === '';
  return parts.findLast((part) => !isOwn(part)) ?? (parts.at(-1) as ClientError);
}

/** Judges whatever the client threw. */
export function kafkaFailure(error: unknown): KafkaFailure {
  const parts = [...partsOf(error)];
  if (parts.length === 0) return { kind: 'passing', reason: String(error), code: '' };
  const kind = PRECEDENCE.find((wanted) => parts.some((part) => kindOf(part) === wanted)) ?? 'passing';
  const part = tellingPart(kind === 'passing' ? parts : parts.filter((candidate) => kindOf(candidate) === kind));
  return { kind, reason: sentenceOf(part), code: codeOf(part) || systemCode(error) || 'unknown' };
}
