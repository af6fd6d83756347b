import { LOAD_DOORS } from './load-doors.ts';
import type { DoorName } from './load-doors.ts';
import type { ReadyLine } from './server-process.ts';

/** Where a door of the server is to be reached. */
export function doorAddress({ url, otlpUrl, grpcUrl }: ReadyLine, door: DoorName): string {
  if (LOAD_DOORS[door].transport !== 'http') return grpcUrl.includes('://') ? grpcUrl : `http://${grpcUrl}`;
  return door.startsWith('otlp-') ? otlpUrl : url;
}
