import { parentPort } from 'node:worker_threads';
import { assert } from '../lib/assert.ts';
import { systemClock } from '../lib/clock.ts';
import { serveCalls } from '../lib/thread-rpc.ts';
import { DETECTORS, detectSeries, type DetectionOptions, type DetectorName } from './detection-job.ts';
import type { Detection } from './evaluated-stream.ts';
import { detectIncidents } from './event-replay.ts';
import type { Telemetry } from './telemetry.ts';

assert(parentPort, 'runs as a worker thread');
serveCalls(parentPort, {
  /** All that the detector's side is ever given. */
  detect(telemetry: Telemetry, name: DetectorName, options: DetectionOptions): Detection {
    const startedMs = systemClock.monotonicMs();
    const verdicts = detectSeries(telemetry, DETECTORS[name], options);
    const incidents =
      name === 'helios' && telemetry.eventsPath !== null ? detectIncidents(telemetry.eventsPath, options.seed) : null;
    return { verdicts, incidents, seconds: (systemClock.monotonicMs() - startedMs) / 1000 };
  },
});
