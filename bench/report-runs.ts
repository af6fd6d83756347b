import { createGenerator } from '../src/generate/generator.ts';
import type { Label } from '../src/generate/label.ts';
import type { Incident } from '../src/model/incident.ts';
import type { Report } from '../src/model/report.ts';
import { getJson, listAll, waitFor, waitForEvents } from './server-api.ts';
import { ServerProcess } from './server-process.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2025, 9, 8);
/** Before that a service is still being learned. */
const WARM_UP_MS = HOUR_MS;
const PATIENCE_MS = 300_000;

export interface FleetRun {
  seed: number;
  faults: number;
  /** Of events, hours. */
  hours: number;
  rate: number;
}

export interface ReportedIncident {
  incident: Incident;
  report: Report;
}

/** A server that follows the time of its data and reports changes at once. */
export function startReportServer(dataDir: string): Promise<ServerProcess> {
  const args = ['--clock', 'events', '--log-level', 'error', '--set', 'report.update_interval=1s'];
  return ServerProcess.start({ dataDir, args });
}

/** Feeds a server a generated fleet with its faults; what was wrong when. */
export async function feedFleet(url: string, { seed, faults, hours, rate }: FleetRun): Promise<readonly Label[]> {
  const generator = createGenerator({
    seed,
    rate,
    faults,
    startMs: START_MS,
    durationMs: hours * HOUR_MS,
    warmUpMs: WARM_UP_MS,
    benignGapMs: 2 * HOUR_MS,
  });
  let fed = 0;
  for (const { bytes, count } of generator.events(5000)) {
    const response = await fetch(new URL('/api/v1/events', url), { method: 'POST', body: new Uint8Array(bytes) });
    if (response.status !== 202) throw new Error(`POST of events: ${response.status} ${await response.text()}`);
    fed += count;
  }
  await waitForEvents(url, fed, PATIENCE_MS);
  return generator.labels;
}

/** Every incident with its newest report, oldest first, once no report of one is due any more. */
export async function settledReports(url: string): Promise<ReportedIncident[]> {
  let before = '';
  let quiet = 0;
  return waitFor('reports that stay as they are', PATIENCE_MS, async () => {
    const incidents = await Array.fromAsync(listAll<Incident>(url, '/api/v1/incidents'));
    const found: ReportedIncident[] = [];
    for (const incident of incidents.toReversed()) {
      const path = `/api/v1/incidents/${encodeURIComponent(incident.id)}/report`;
      const report = await getJson<Report>(url, path).catch(() => undefined);
      if (report) found.push({ incident, report });
    }
    const now = JSON.stringify(found.map(({ report, incident }) => [incident.updatedAt, report.version, report.createdAt]));
    quiet = now === before && found.length === incidents.length ? quiet + 1 : 0;
    before = now;
    return quiet >= 3 ? found : undefined;
  });
}

/** Columns of the terminal, or of the chat window on a telephone turned, that a first screen is counted for. */
const COLUMNS = 100;

/** Lines of a report up to its first detail, as a terminal of 100 columns wraps them. */
export function firstScreenLines({ markdown }: Report): number {
  const [screen = ''] = markdown.split('\n## Impact Assessment\n');
  const lines = screen.trimEnd().split('\n');
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / COLUMNS)), 0);
}
