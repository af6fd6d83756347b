import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getJson, waitFor, waitForEvents } from '../../bench/server-api.ts';
import { differences, StackAudit } from '../../bench/stack-audit.ts';
import type { StoredVerdicts } from '../../bench/stack-audit.ts';
import { StackSender } from '../../bench/stack-sender.ts';
import { createGenerator } from '../../src/generate/generator.ts';
import type { Anomaly } from '../../src/model/anomaly.ts';
import { HeliosStack } from '../servers/helios-stack.ts';
import { serverAddress, withServers } from '../servers/server-address.fixture.ts';
import { StackPlace } from '../servers/stack-place.ts';

const PATIENCE_MS = 240_000;
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2025, 9, 8, 9);
const FAULT_MS = START_MS + 40 * MINUTE_MS;

/** The service with most events: the one that is spread. */
function busiest(bodies: readonly { bytes: Uint8Array }[]): string {
  const counts = new Map<string, number>();
  for (const { bytes } of bodies) {
    for (const [, name] of Buffer.from(bytes)
      .toString()
      .matchAll(/"service":"([^"]+)"/g)) {
      counts.set(name as string, (counts.get(name as string) ?? 0) + 1);
    }
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] as string;
}

function traffic(): { bytes: Uint8Array; count: number }[] {
  const fault = { kind: 'error_burst' as const, startMs: FAULT_MS, durationMs: 5 * MINUTE_MS, effect: { errorRate: 0.5 } };
  const common = { seed: 5, services: 5, rate: 40, startMs: START_MS, durationMs: 50 * MINUTE_MS, benignGapMs: Infinity };
  return [...createGenerator({ ...common, faults: [fault] }).events(1000)].map(({ bytes, count }) => ({
    bytes: Buffer.from(bytes),
    count,
  }));
}

interface Outcome {
  verdicts: StoredVerdicts;
  /** Events by service as the rollups have them. */
  counted: number;
  /** Partitions that hold events of the service. */
  partitions: number;
}

interface RunOptions {
  hot: readonly { service: string; partitions: number }[];
  service: string;
  /** Kills the detectors so many times, evenly over what is sent. */
  kills: number;
}

async function run(bodies: ReturnType<typeof traffic>, { hot, service, kills }: RunOptions): Promise<Outcome> {
  await using place = await StackPlace.open(serverAddress('kafka') as string, serverAddress('postgres') as string);
  const settings = ['kafka.partitions=4', `kafka.hot_services=${JSON.stringify(hot)}`, 'store.checkpoint_interval=1s'];
  const args = [...place.args, '--clock', 'events', ...settings.flatMap((setting) => ['--set', setting])];
  await using stack = await HeliosStack.start({ kafka: place.kafka, postgres: place.postgres, args });
  await using audit = new StackAudit(place.postgres);
  await using sender = new StackSender({ urls: () => [stack.url('ingest-0')] });
  const killAt = new Set(Array.from({ length: kills }, (_, i) => Math.floor(((i + 1) * bodies.length) / (kills + 1))));
  for (const [number, { bytes, count }] of bodies.entries()) {
    if (killAt.has(number)) {
      await stack.kill('detect-0');
      await stack.start('detect-0');
    }
    await sender.send(bytes, count, `batch-${number}`);
  }
  await waitForEvents(stack.url('console-0'), sender.acknowledged, PATIENCE_MS);
  await settled(audit, stack);
  assert.deepEqual(await audit.events(), { rows: sender.acknowledged, distinct: sender.acknowledged });
  const { series } = await getJson<{ series: { points: [number, number | null][] }[] }>(
    stack.url('console-0'),
    '/api/v1/metrics',
    {
      service,
      name: 'event_count',
      from: new Date(START_MS).toISOString(),
      to: new Date(START_MS + 60 * MINUTE_MS).toISOString(),
      step: '5m',
    },
  );
  const counted = (series[0]?.points ?? []).reduce((sum, [, count]) => sum + (count ?? 0), 0);
  const rows = await audit.query<{ n: string }>(
    `SELECT count(DISTINCT log_partition) AS n FROM events WHERE service = '${service}'`,
  );
  return { verdicts: await audit.verdicts(), counted, partitions: Number(rows[0]?.n) };
}

/** Whether the detectors have read what the store has; one that was killed may take a while to join its group again. */
async function isLevel(audit: StackAudit): Promise<boolean> {
  const rows = await audit.query(
    `SELECT 1 FROM partition_progress s JOIN partition_progress d USING (topic, log_partition)
     WHERE s.consumer_group LIKE '%storage-writers' AND d.consumer_group LIKE '%detectors' AND d.next_offset < s.next_offset`,
  );
  return rows.length === 0;
}

/** Waits until the detectors have nothing left to find, and reporters nothing to settle. */
async function settled(audit: StackAudit, stack: HeliosStack): Promise<void> {
  let last = '';
  let quiet = 0;
  await waitFor('the alerts to be settled', PATIENCE_MS, async () => {
    const now = `${await audit.progress()} ${await audit.pendingAlerts()}`;
    quiet = now === last && now.endsWith(' 0') && (await isLevel(audit)) ? quiet + 1 : 0;
    last = now;
    if (quiet < 3) await new Promise((resolve) => setTimeout(resolve, 1000));
    return quiet >= 3 ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${stack.said()}`, { cause: error });
  });
}

withServers(['kafka', 'postgres'], 'a hot service over several partitions', () => {
  test('a service spread over three partitions has the same incidents as in one, also when detectors are killed meanwhile', async () => {
    const bodies = traffic();
    const service = busiest(bodies);
    const lines = bodies.map(({ bytes }) => Buffer.from(bytes).toString()).join('');
    const expectedCount = lines.split(`"service":"${service}"`).length - 1;
    const whole = await run(bodies, { hot: [], service, kills: 0 });
    const spread = await run(bodies, { hot: [{ service, partitions: 3 }], service, kills: 3 });
    assert.deepEqual([whole.partitions, spread.partitions], [1, 3]);
    assert.deepEqual([whole.counted, spread.counted], [expectedCount, expectedCount]);
    const found = [...whole.verdicts.anomalies.values()] as Anomaly[];
    assert.ok(found.some((anomaly) => anomaly.service === service && Date.parse(anomaly.startedAt) >= FAULT_MS - MINUTE_MS));
    for (const kind of ['anomalies', 'incidents'] as const) {
      const [id] = differences(whole.verdicts[kind], spread.verdicts[kind]);
      if (id !== undefined) assert.deepEqual(spread.verdicts[kind].get(id), whole.verdicts[kind].get(id), kind);
    }
  });
});
