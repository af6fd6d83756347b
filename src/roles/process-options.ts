import type { Config } from '../config/config.ts';
import type { HttpUrls } from './server.ts';

export interface ProcessOptions {
  config: Config;
  version: string;
  /** Aborting it stops the process in an orderly way. */
  signal: AbortSignal;
  /** Called for what `--json` prints: incidents, anomalies, reports. */
  onEvent: (event: Record<string, unknown>) => void;
}

/** Where the process listens; null for a port that is off. */
export interface Urls extends HttpUrls {
  grpcUrl: string | null;
}

export interface RunningProcess extends Urls {
  /** Resolves when everything is closed; rejects when a part failed or requests had to be cut off. */
  stopped: Promise<void>;
}
