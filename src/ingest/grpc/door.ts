import type { Clock } from '../../lib/clock.ts';
import type { DoorLimits } from '../door-limits.ts';
import type { IngestHandler } from '../handler.ts';
import type { OtlpExport } from '../otlp/export.ts';
import { EVENT_DOOR, eventMethods } from './event-service.ts';
import { healthMethods } from './health-service.ts';
import type { Methods } from './method.ts';
import { otlpMethods } from './otlp-service.ts';
import { reflectionMethods } from './reflection-service.ts';

export interface DoorOptions {
  handler: IngestHandler;
  otlpExport: OtlpExport;
  limitsOf: (door: string) => DoorLimits;
  isReady: () => boolean;
  clock: Clock;
}

/** "/helios.v1.EventService/Publish" to "helios.v1.EventService". */
function serviceOf(path: string): string {
  return path.slice(1, path.lastIndexOf('/'));
}

/** Every method that this process answers. */
export function createMethods({ handler, otlpExport, limitsOf, isReady, clock }: DoorOptions): Methods {
  const ingest = [...eventMethods(handler, limitsOf(EVENT_DOOR).maxEvents), ...otlpMethods(otlpExport)];
  const services = [...new Set(ingest.map(([path]) => serviceOf(path)))];
  return new Map([...ingest, ...healthMethods({ isReady, services, clock }), ...reflectionMethods()]);
}
