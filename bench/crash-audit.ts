import { entityId } from '../src/model/entity.ts';
import { compareLedger } from './crash-ledger.ts';
import type { CrashLedger, LedgerComparison } from './crash-ledger.ts';
import { getJson, getSelfMetrics, waitFor } from './server-api.ts';
import type { ListPage } from './server-api.ts';
import { storedLines } from './stored-lines.ts';

const SETTLE_TIMEOUT_MS = 120_000;
/** The pipeline commits once a second: what has not changed for so long will not, right or wrong. */
const SETTLED_MS = 2500;

interface ServiceCount {
  service: string;
  eventCount: number;
}

interface StoredEvent {
  service: string;
  kind?: string;
  metadata?: Record<string, unknown>;
}

interface StoredSeries {
  points: [ms: number, value: number][];
}

/** Derived counts by entity, once the pipeline has read everything and they have stopped to change. */
export async function settledCounts(url: string): Promise<ServiceCount[]> {
  let last = -1;
  let since = performance.now();
  return waitFor('the rollups to settle', SETTLE_TIMEOUT_MS, async () => {
    const lag = (await getSelfMetrics(url)).get('helios_pipeline_lag_records') ?? 0;
    const query = { from: 0, to: Date.UTC(2100, 0) };
    const { items } = await getJson<ListPage<ServiceCount>>(url, '/api/v1/services', query);
    const total = items.reduce((sum, { eventCount }) => sum + eventCount, 0);
    if (total !== last || lag > 0) since = performance.now();
    last = total;
    return performance.now() - since > SETTLED_MS ? items : undefined;
  });
}

function textOf(metadata: Record<string, unknown>, key: string): string {
  const value = metadata[key];
  return typeof value === 'string' ? value : '';
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** What the event log holds: ids and how often each, and what the services' counts have to be. */
async function readEvents(dataDir: string): Promise<{ ids: Map<string, number>; counts: Map<string, number> }> {
  const ids = new Map<string, number>();
  const requests = new Map<string, number>();
  const logs = new Map<string, number>();
  for await (const { service, kind, metadata = {} } of storedLines<StoredEvent>(dataDir, 'log')) {
    increment(ids, String(metadata['request_id']).replace('req_', ''));
    const environment = textOf(metadata, 'deployment.environment.name');
    const entity = entityId({ environment, namespace: textOf(metadata, 'service.namespace'), service });
    if (kind !== 'inner_span') increment(kind === 'log' ? logs : requests, entity);
  }
  // The API counts the requests of a service that has any, and its log records otherwise.
  return { ids, counts: new Map([...logs, ...requests]) };
}

async function readPoints(dataDir: string): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  for await (const { points } of storedLines<StoredSeries>(dataDir, 'metrics')) {
    for (const [, value] of points) increment(values, String(value));
  }
  return values;
}

export interface AuditResult {
  events: LedgerComparison;
  points: LedgerComparison;
  storedEvents: number;
  storedPoints: number;
  /** Services whose derived count differs from the events stored, and by how much in all. */
  wrongServices: number;
  rollupDifference: number;
}

/** Holds what clients know against both logs, read with the project's own reader, and the log against what was derived from it. */
export async function auditLogs(
  dataDir: string,
  ledgers: { events: CrashLedger; points: CrashLedger },
  derived: readonly ServiceCount[],
): Promise<AuditResult> {
  const { ids, counts } = await readEvents(dataDir);
  const values = await readPoints(dataDir);
  const found = new Map(derived.map(({ service, eventCount }) => [service, eventCount]));
  const services = new Set([...counts.keys(), ...found.keys()]);
  const differences = [...services].map((name) => Math.abs((counts.get(name) ?? 0) - (found.get(name) ?? 0)));
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);
  return {
    events: compareLedger(ledgers.events, ids),
    points: compareLedger(ledgers.points, values),
    storedEvents: sum(ids.values()),
    storedPoints: sum(values.values()),
    wrongServices: differences.filter((difference) => difference !== 0).length,
    rollupDifference: sum(differences),
  };
}
