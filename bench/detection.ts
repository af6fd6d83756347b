import { parseArgs } from 'node:util';
import { detectConfigSchema } from '../src/detect/config.ts';
import { createDetector } from '../src/detect/engine.ts';
import { FAULT_NAMES } from '../src/generate/fault-kinds.ts';
import type { Generator } from '../src/generate/generator.ts';
import { createGenerator } from '../src/generate/generator.ts';
import type { Label } from '../src/generate/label.ts';
import { parseTime } from '../src/lib/clock.ts';
import { createNames } from '../src/model/event-batch.ts';
import type { Incident } from '../src/model/incident.ts';
import { createJsonScanner } from '../src/model/json-scanner.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';
import type { StreamResult } from './detection-summary.ts';
import { summarise, summaryText } from './detection-summary.ts';
import { matchIncidents } from './incident-matching.ts';

/**
 * Detection on generated streams, in one process without HTTP: each seed is a fleet of its own with one fault of every
 * kind, an hour apart. With the wall clock the detector is told the time every second, as it is live, and so notices when
 * the whole fleet falls silent; with the events clock it only knows the time from the events. Prints what was found, how fast, and how often it cried wolf.
 *
 *     node bench/detection.ts [--seeds 10] [--first-seed 1] [--rate 40] [--services 10] [--clock events|wall] [--json] [--verbose]
 */
const HOUR_MS = 3_600_000;
const WARM_UP_MS = 4 * HOUR_MS;
const START_MS = parseTime('2025-10-08T06:00:00Z');
const STEP_MS = 1000;
const SAMPLE_MS = 10_000;

type ClockMode = 'wall' | 'events';

interface DetectedIncident {
  startMs: number;
  endMs: number;
  incident: Incident;
}

/** Feeds a stream to a detector as it would live, a second at a time; the incidents in their last form. */
function detect(generator: Generator, clock: ClockMode): { incidents: DetectedIncident[]; events: number } {
  const scanner = createJsonScanner(createNames());
  const detector = createDetector({ config: detectConfigSchema.parse({}), clock, seed: 1 });
  const documents = new Map<string, Incident>();
  const advance = generator.cursor(generator.startMs);
  let events = 0;
  for (let toMs = generator.startMs + STEP_MS; toMs <= generator.endMs; toMs += STEP_MS) {
    const chunk = advance(toMs);
    events += chunk.count;
    const { batch, rejectedCount } = scanner.scan(chunk.bytes, NO_LIMITS);
    if (rejectedCount > 0) throw new Error(`seed stream has ${rejectedCount} events that the scanner rejects`);
    if (chunk.count > 0) detector.observe(batch, toMs, 'bench');
    for (const incident of detector.advance(clock === 'wall' ? toMs : null).incidents) documents.set(incident.id, incident);
  }
  const own = [...documents.values()].filter(({ mergedInto }) => mergedInto === null);
  const incidents = own.map((incident) => ({
    startMs: parseTime(incident.detectedAt),
    endMs: incident.resolvedAt === null ? generator.endMs : parseTime(incident.resolvedAt),
    incident,
  }));
  return { incidents, events };
}

function runSeed(seed: number, rate: number, services: number, clock: ClockMode, verbose: boolean): StreamResult {
  const durationMs = WARM_UP_MS + FAULT_NAMES.length * HOUR_MS;
  const generator = createGenerator({
    seed,
    rate,
    services,
    startMs: START_MS,
    durationMs,
    warmUpMs: WARM_UP_MS,
    faults: FAULT_NAMES,
  });
  const { incidents, events } = detect(generator, clock);
  const span = (label: Label) => ({ label, startMs: parseTime(label.start), endMs: parseTime(label.end) });
  const truths = generator.labels.filter(({ benign }) => !benign).map(span);
  const benign = generator.labels.filter(({ benign: harmless }) => harmless).map(span);
  const scored = { sampleMs: SAMPLE_MS, scoredFromMs: START_MS + WARM_UP_MS, scoredToMs: generator.endMs };
  const { matches, duplicates, falseIncidents, normalMs } = matchIncidents(truths, incidents, scored);
  const during = falseIncidents.filter((one) => benign.some((other) => one.startMs <= other.endMs && one.endMs >= other.startMs));
  if (verbose) {
    for (const { truth, incident, delayMs } of matches) printMatch(seed, truth.label, incident?.incident, delayMs);
    for (const { incident } of falseIncidents) {
      process.stderr.write(`seed ${seed}: false ${incident.detectedAt} ${incident.services.join(' ')}: ${incident.title}\n`);
    }
  }
  return {
    seed,
    faults: matches.map(({ truth: { label }, incident, delayMs }) => ({
      label,
      found: incident !== null,
      delaySeconds: delayMs / 1000,
      causeRight: incident?.incident.causes[0]?.service === label.service,
    })),
    falseIncidents: falseIncidents.length,
    falseDuringBenign: during.length,
    duplicates: duplicates.length,
    normalServiceDays: (normalMs * services) / (24 * HOUR_MS),
    events,
  };
}

function printMatch(seed: number, label: Label, incident: Incident | undefined, delayMs: number): void {
  const found = incident ? `${delayMs / 1000} s, cause ${incident.causes[0]?.service ?? 'none'}` : 'missed';
  process.stderr.write(`seed ${seed}: ${label.start} ${label.kind} ${label.service} ${JSON.stringify(label.effect)}: ${found}\n`);
}

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10' },
    'first-seed': { type: 'string', default: '1' },
    rate: { type: 'string', default: '40' },
    services: { type: 'string', default: '10' },
    clock: { type: 'string', default: 'events' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const clock: ClockMode = flags.clock === 'wall' ? 'wall' : 'events';
const streams = Array.from({ length: Number(flags.seeds) }, (_, index) => {
  const startedMs = performance.now();
  const result = runSeed(Number(flags['first-seed']) + index, Number(flags.rate), Number(flags.services), clock, flags.verbose);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  const found = result.faults.filter((fault) => fault.found).length;
  if (!flags.json)
    process.stderr.write(
      `seed ${result.seed}: ${found} of ${result.faults.length} found, ${result.falseIncidents} false, ${seconds} s\n`,
    );
  return result;
});
const summary = summarise(streams);
process.stdout.write(flags.json ? `${JSON.stringify(summary)}\n` : `${summaryText(summary)}\n`);
