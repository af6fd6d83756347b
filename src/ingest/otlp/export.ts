import type { Clock } from '../../lib/clock.ts';
import { MAX_LISTED_REJECTIONS } from '../../model/scanner.ts';
import type { IngestHandler, Sender, Verdict } from '../handler.ts';
import type { MemoryAccount } from '../pending-bytes.ts';
import { logsFromJson } from './logs-json.ts';
import { createLogsTranscoder } from './logs-protobuf.ts';
import type { EventTranscoder } from './request.ts';
import { metricsFromJson } from './metrics-json.ts';
import { metricsFromProtobuf } from './metrics-protobuf.ts';
import { tracesFromJson } from './traces-json.ts';
import { createTracesTranscoder } from './traces-protobuf.ts';

export type OtlpEncoding = 'protobuf' | 'json';
export type OtlpSignal = 'logs' | 'traces' | 'metrics';

type Export = (body: Uint8Array, encoding: OtlpEncoding, sender: Sender, door: string, memory: MemoryAccount) => Promise<Verdict>;

/**
 * Takes the body of an Export request: durable when it resolves. `memory` accounts for what is made of the body and held
 * until then. Throws HeliosError, `invalid_body` for a body that is not the message.
 */
export type OtlpExport = Record<OtlpSignal, Export>;

type FromJson = (body: Uint8Array, memory: MemoryAccount) => Uint8Array;

export function createOtlpExport(options: { handler: IngestHandler; clock: Clock }): OtlpExport {
  const { handler, clock } = options;
  const exportEvents =
    (transcode: EventTranscoder, fromJson: FromJson): Export =>
    async (body, encoding, sender, door, memory) => {
      const message = encoding === 'json' ? fromJson(body, memory) : body;
      const { ndjson, count, rejectedCount, rejections } = transcode(message, clock.nowMs(), memory);
      if (count === 0) return { accepted: 0, rejectedCount, rejections, replayed: false };
      const verdict = await handler.acceptEvents({ door, sender, body: ndjson });
      if (rejectedCount === 0) return verdict;
      // What the transcoder leaves out is at the end of the request, so the lines are numbered as the records are.
      const all = [...verdict.rejections, ...rejections].slice(0, MAX_LISTED_REJECTIONS);
      return { ...verdict, rejectedCount: verdict.rejectedCount + rejectedCount, rejections: all };
    };
  return {
    logs: exportEvents(createLogsTranscoder(), logsFromJson),
    traces: exportEvents(createTracesTranscoder(), tracesFromJson),
    metrics: async (body, encoding, sender, door, memory) => {
      const limits = handler.limitsFor(sender.principal);
      const lines = metricsFromProtobuf(encoding === 'json' ? metricsFromJson(body, memory) : body, limits, memory);
      return handler.acceptMetrics({ door, sender, lines });
    },
  };
}
