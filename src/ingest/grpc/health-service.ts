import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { ProtobufReader } from '../protobuf-reader.ts';
import { ProtobufWriter } from '../protobuf-writer.ts';
import type { Method } from './method.ts';

const DOOR = 'grpc_health';
/** HealthCheckResponse.ServingStatus. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;
const WATCH_PERIOD_MS = 1000;

export interface HealthOptions {
  isReady: () => boolean;
  /** Full names; the process as a whole is "". */
  services: readonly string[];
  clock: Clock;
}

/** grpc.health.v1.Health (proto/grpc/health/v1/health.proto). All services are ready together. */
export function healthMethods({ isReady, services, clock }: HealthOptions): [path: string, Method][] {
  const known = new Set(['', ...services]);
  const statusOf = (service: string): number => (known.has(service) ? (isReady() ? SERVING : NOT_SERVING) : SERVICE_UNKNOWN);

  async function check(message: Uint8Array): Promise<Uint8Array> {
    const status = statusOf(readService(message));
    if (status === SERVICE_UNKNOWN) throw new HeliosError('not_found', 'cannot check the service: there is none of that name');
    return encodeHealth(status);
  }

  function watch(message: Uint8Array, send: (message: Uint8Array) => void): () => void {
    const service = readService(message);
    let sent = 0;
    const look = (): void => {
      const status = statusOf(service);
      if (status === sent) return;
      sent = status;
      send(encodeHealth(status));
    };
    look();
    return clock.every(WATCH_PERIOD_MS, look);
  }

  return [
    ['/grpc.health.v1.Health/Check', { door: DOOR, access: 'anyone', shape: 'unary', answer: check }],
    ['/grpc.health.v1.Health/Watch', { door: DOOR, access: 'anyone', shape: 'watch', watch }],
  ];
}

function encodeHealth(status: number): Uint8Array {
  return new ProtobufWriter().uint(1, status).finish();
}

/** HealthCheckRequest: string service = 1. */
function readService(message: Uint8Array): string {
  const reader = new ProtobufReader();
  reader.begin(message, 'HealthCheckRequest');
  let service = '';
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 10) {
      const end = reader.range();
      service = Buffer.from(message.subarray(reader.position, end)).toString('utf8');
      reader.position = end;
    } else reader.skip(tag);
  }
  return service;
}
