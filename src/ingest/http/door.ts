import type { IncomingHttpHeaders } from 'node:http';
import { HeliosError } from '../../lib/errors.ts';
import type { EventsRequest, IngestHandler, Verdict } from '../handler.ts';
import type { DoorRequest, HttpAnswer, HttpDoor } from '../http-exchange.ts';
import { problemAnswer, verdictAnswer } from './answer.ts';

const DOOR = 'http';

/** An absent content type, parameters, and curl's default form type are all read as JSON. */
const JSON_TYPES =
  /^(application\/([\w.-]+\+)?(json|x-ndjson|ndjson|jsonl|x-jsonlines|json-lines|octet-stream|x-www-form-urlencoded)|text\/(plain|json|x-json))$/;

/** The last one that was found good: clients send the same again and again. */
let goodContentType = '';

function checkContentType(header: string | undefined): void {
  if (header === undefined || header === goodContentType) return;
  const type = header.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || JSON_TYPES.test(type)) {
    goodContentType = header;
    return;
  }
  throw new HeliosError(
    'unsupported_media_type',
    `cannot read the body: the content type "${type.slice(0, 64)}" is not JSON or NDJSON`,
    { details: { field: 'Content-Type' } },
  );
}

/** `POST /api/v1/events`: native events over HTTP, one object, an array, or NDJSON. */
export function createNativeDoor(handler: IngestHandler): HttpDoor {
  return {
    name: DOOR,
    encodings: ['gzip', 'zstd'],
    check: (headers: IncomingHttpHeaders): void => checkContentType(headers['content-type']),
    take({ headers, sender, body }: DoorRequest): Promise<Verdict> {
      const request: EventsRequest = { door: DOOR, sender, body };
      const key = headers['idempotency-key'];
      if (typeof key === 'string') request.idempotencyKey = key;
      return handler.acceptEvents(request);
    },
    answer: (verdict: Verdict): HttpAnswer => verdictAnswer(verdict),
    problem: (error: HeliosError): HttpAnswer => problemAnswer(error),
  };
}
