import { HeliosError } from '../../lib/errors.ts';
import { exportResponse } from '../otlp/answer.ts';
import type { OtlpExport, OtlpSignal } from '../otlp/export.ts';
import type { AnsweringMethod, Method } from './method.ts';

const DOOR = 'otlp_grpc';
const SERVICES: Record<OtlpSignal, string> = {
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
};

/** The Export methods of OTLP/gRPC (OTLP specification 1.x, "OTLP/gRPC"). */
export function otlpMethods(otlpExport: OtlpExport): [path: string, Method][] {
  return (Object.keys(SERVICES) as OtlpSignal[]).map((signal) => [
    `/${SERVICES[signal]}/Export`,
    exportMethod(otlpExport, signal),
  ]);
}

function exportMethod(otlpExport: OtlpExport, signal: OtlpSignal): AnsweringMethod {
  return {
    door: DOOR,
    access: 'ingest',
    shape: 'unary',
    async answer(message, { sender, ticket, sentBytes }) {
      const verdict = await otlpExport[signal](message, 'protobuf', sender, DOOR, ticket);
      if (verdict.syntaxError !== undefined) {
        throw new HeliosError('invalid_body', `cannot read the message: it ${verdict.syntaxError}`);
      }
      const { accepted, rejectedCount, rejections } = verdict;
      ticket.settle({ accepted, rejectedCount, rejections, sentBytes });
      return exportResponse(signal, verdict, 'protobuf');
    },
  };
}
