import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { matchIncidents, rankQuantile } from '../src/evaluate/protocol-matching.ts';
import type { EvaluatedIncident } from '../src/evaluate/protocol-episode.ts';
import type { Incident } from '../src/model/incident.ts';
import { textTable } from './load-table.ts';
import { compareFigures, isEqual, readFigures } from './replay-figures.ts';
import type { Comparison, FileFigures } from './replay-figures.ts';
import { realDays, replay } from './replay-run.ts';
import type { RealDay } from './replay-run.ts';
import { listAll, waitFor } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/**
 * Real events: `helios replay` of three days into `helios serve --clock=events`, then every service and minute of the API
 * held against the files, and the incidents against the faults that were injected. The second is a look, not a
 * benchmark: most of each day is faults, an event-free gap after each, and nothing was tuned to it.
 *
 *     HELIOS_TEST_DATA=DIR node bench/replay.ts [--json]
 */
const { values: flags } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const SAMPLE_MS = 10_000;

interface Fault {
  start: string;
  end: string;
  service: string;
  type: string;
}

interface DayResult {
  day: RealDay;
  figures: FileFigures;
  comparison: Comparison;
}

interface Detection {
  faults: number;
  found: number;
  causeFirst: number;
  medianDelaySeconds: number;
  incidents: number;
  falseIncidents: number;
  duplicates: number;
}

function detectionOf(day: RealDay, figures: FileFigures, incidents: readonly Incident[]): Detection {
  const faults = JSON.parse(readFileSync(day.faults, 'utf8')) as Fault[];
  const truths = faults.map(({ start, end }) => ({ startMs: Date.parse(start), endMs: Date.parse(end) }));
  const known = new Map<EvaluatedIncident, Incident>();
  for (const incident of incidents) {
    const startMs = Date.parse(incident.detectedAt);
    if (incident.mergedInto !== null || startMs < figures.fromMs || startMs >= figures.toMs + SAMPLE_MS) continue;
    const endMs = incident.resolvedAt === null ? figures.toMs : Date.parse(incident.resolvedAt);
    const span = { startMs, endMs: Math.max(startMs, endMs) };
    known.set({ ...span, episodes: [{ ...span, entity: incident.id }] }, incident);
  }
  const matching = matchIncidents({
    incidents: [...known.keys()].toSorted((a, b) => a.startMs - b.startMs),
    truths,
    sampleMs: SAMPLE_MS,
    scored: { startMs: figures.fromMs, endMs: figures.toMs },
  });
  const causeOf = (incident: EvaluatedIncident): string | undefined => known.get(incident)?.causes[0]?.service;
  const found = matching.pairs.filter(({ incident }) => incident !== undefined);
  return {
    faults: matching.pairs.length,
    found: found.length,
    causeFirst: found.filter(({ truth, incident }) => incident && causeOf(incident) === faults[truth]?.service).length,
    medianDelaySeconds: rankQuantile(
      matching.pairs.map(({ delayMs }) => delayMs / 1000),
      0.5,
    ),
    incidents: known.size,
    falseIncidents: matching.falseIncidents.length,
    duplicates: matching.duplicates,
  };
}

/** Reports of the last incidents may still be written. */
async function settledIncidents(url: string): Promise<Incident[]> {
  let before = -1;
  return waitFor('incidents that stay as many', 60_000, async () => {
    const incidents = await Array.fromAsync(listAll<Incident>(url, '/api/v1/incidents'));
    const settled = incidents.length === before;
    before = incidents.length;
    return settled ? incidents : undefined;
  });
}

async function run(days: readonly RealDay[]): Promise<void> {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path, args: ['--clock', 'events'] });
  const { url } = server;
  const { accepted, rejected, seconds } = await replay(
    url,
    days.map(({ events }) => events),
  );
  const results: DayResult[] = [];
  for (const day of days) {
    const figures = await readFigures(day.events);
    results.push({ day, figures, comparison: await compareFigures(url, figures) });
  }
  const incidents = await settledIncidents(url);
  const lines = results.reduce((sum, { figures }) => sum + figures.lines, 0);
  const detections = results.map(({ day, figures }) => detectionOf(day, figures, incidents));
  if (flags.json) {
    const dayResults = results.map(({ day, comparison }, i) => ({ day: day.name, ...comparison, detection: detections[i] }));
    process.stdout.write(`${JSON.stringify({ lines, accepted, rejected, seconds, days: dayResults })}\n`);
  } else {
    printFigures(results, { lines, accepted, rejected, seconds });
    printDetections(results, detections);
  }
  if (accepted !== lines || !results.every(({ comparison }) => isEqual(comparison))) process.exitCode = 1;
}

function printFigures(
  results: readonly DayResult[],
  totals: { lines: number; accepted: number; rejected: number; seconds: number },
): void {
  const { lines, accepted, rejected, seconds } = totals;
  const rate = Math.round(accepted / seconds).toLocaleString('en');
  process.stdout.write(
    `${lines} lines, accepted ${accepted}, rejected ${rejected}, in the pipeline after ${seconds.toFixed(1)} s (${rate} events/s)\n`,
  );
  process.stdout.write(
    textTable(
      ['', 'events', 'errors', 'service minutes', 'unmatched', 'wrong counts', 'wrong errors', 'mean off by', 'p99 off by'],
      results.map(({ day, figures, comparison: c }) => [
        day.name,
        figures.lines,
        figures.errors,
        c.cells,
        c.unmatched,
        c.countMismatches,
        c.errorMismatches,
        c.meanDeviation.toExponential(1),
        `${(c.p99Deviation * 100).toFixed(2)} %`,
      ]),
    ),
  );
  for (const { comparison } of results) for (const example of comparison.examples) process.stdout.write(`  ${example}\n`);
}

function printDetections(results: readonly DayResult[], detections: readonly Detection[]): void {
  process.stdout.write(
    textTable(
      ['', 'faults', 'found', 'cause first', 'median delay s', 'incidents', 'false', 'duplicates'],
      results.map(({ day }, i) => {
        const d = detections[i] as Detection;
        return [
          day.name,
          d.faults,
          d.found,
          d.causeFirst,
          d.medianDelaySeconds.toFixed(0),
          d.incidents,
          d.falseIncidents,
          d.duplicates,
        ];
      }),
    ),
  );
}

const days = realDays(process.env['HELIOS_TEST_DATA']);
if (days) {
  await run(days);
} else {
  process.stderr.write('skipped: HELIOS_TEST_DATA is not set to the folder of the real events\n');
}
