import { HeliosError } from '../../lib/errors.ts';
import type { IngestHandler, Verdict } from '../handler.ts';
import { publishResponse } from './answer.ts';
import { EventTranscoder } from './events-protobuf.ts';
import { metadataValue } from './metadata.ts';
import type { AnsweringMethod, MessageContext, Method } from './method.ts';

export const EVENT_DOOR = 'grpc';
const NOTHING: Verdict = { accepted: 0, rejectedCount: 0, rejections: [], replayed: false };

/** helios.v1.EventService (proto/helios/v1/events.proto). */
export function eventMethods(handler: IngestHandler, maxEvents: number): [path: string, Method][] {
  const transcoder = new EventTranscoder();

  async function publish(message: Uint8Array, context: MessageContext, keyOfCall: string | undefined): Promise<Uint8Array> {
    const { sender, ticket, sentBytes } = context;
    const { ndjson, count, idempotencyKey } = transcoder.transcode(message, { maxEvents, memory: ticket });
    const key = idempotencyKey === '' ? keyOfCall : idempotencyKey;
    const request = { door: EVENT_DOOR, sender, body: ndjson, ...(key !== undefined && { idempotencyKey: key }) };
    const verdict = count === 0 ? NOTHING : await handler.acceptEvents(request);
    if (verdict.syntaxError !== undefined) {
      throw new HeliosError('invalid_body', `cannot read the message: it ${verdict.syntaxError}`);
    }
    // A replay was counted when it came first.
    const { accepted, rejectedCount, rejections } = verdict.replayed ? NOTHING : verdict;
    ticket.settle({ accepted, rejectedCount, rejections, sentBytes });
    return publishResponse(verdict);
  }

  const unary: AnsweringMethod = {
    door: EVENT_DOOR,
    access: 'ingest',
    shape: 'unary',
    answer: (message, context) => publish(message, context, metadataValue(context.headers, 'idempotency-key')),
  };
  // One key for a whole stream would make its second request a retry of the first.
  const exchange: AnsweringMethod = {
    ...unary,
    shape: 'exchange',
    answer: (message, context) => publish(message, context, undefined),
  };
  return [
    ['/helios.v1.EventService/Publish', unary],
    ['/helios.v1.EventService/PublishStream', exchange],
  ];
}
