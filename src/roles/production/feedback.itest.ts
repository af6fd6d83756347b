import assert from 'node:assert/strict';
import { anomalyOf, MINUTE, over, T0 } from '../../detect/anomaly.fixture.ts';
import { createIncidentBook } from '../../detect/incident-book.ts';
import { testConfig } from '../../detect/traffic.fixture.ts';
import { ManualClock, systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { IncidentDecision } from '../../model/alert.ts';
import type { Anomaly } from '../../model/anomaly.ts';
import type { Incident } from '../../model/incident.ts';
import type { Database } from '../../store/timescale/database.ts';
import { createIncidentLedger } from '../../store/timescale/incident-ledger.ts';
import { claimPartition } from '../../store/timescale/progress.ts';
import { withDatabase } from '../../store/timescale/test-database.fixture.ts';
import { openTestStore } from '../../store/timescale/timescale-store.fixture.ts';
import { createControl } from '../control.ts';
import { openFeedback } from '../feedback-service.ts';

const DAY = 1440 * MINUTE;
const KEY = { group: 'reporters', topic: 'anomaly-alerts', partition: 0 };

/** A console and a reporter in one process, over the database that all share. */
async function openConsole(database: Database, clock: ManualClock) {
  await using opening = new AsyncDisposableStack();
  const store = opening.use(await openTestStore({ database }));
  const book = createIncidentBook(testConfig());
  const ledger = createIncidentLedger({ database, book, reportIntervalMs: 30_000, logger: silentLogger });
  const command = async (decision: unknown): Promise<Incident | undefined> => {
    const answer = await ledger.command(decision as IncidentDecision);
    return 'incident' in answer ? answer.incident : undefined;
  };
  const feedback = opening.use(
    openFeedback({
      store,
      command,
      control: createControl({ store, command, clock }),
      clock,
      wallClock: systemClock,
      gapMs: testConfig().incident_gap,
      previewWindowMs: 30 * DAY,
      metrics: silentMetrics,
      logger: silentLogger,
    }),
  );
  const scope = opening.move();
  return {
    feedback,
    store,
    /** What a detector finds in the one partition, firing and ten minutes later over, as the alerts bring it. */
    async find(startMs: number): Promise<Anomaly> {
      const { epoch, nextOffset } = await claimPartition(database, KEY, 'test');
      const anomaly = anomalyOf('cart', startMs);
      const messages = [anomaly, over(anomaly, startMs + 10 * MINUTE)].map((one) => {
        const atMs = Date.parse(one.resolvedAt ?? one.detectedAt);
        return { type: 'anomaly' as const, partition: 0, atMs, anomaly: one, evidence: [] };
      });
      await ledger.record(messages, { ...KEY, epoch, expectedOffset: nextOffset, nextOffset: nextOffset + 1 });
      await ledger.settle({ mode: 'wall', partitions: 1, tracePartitions: 0, holdMs: 0 });
      clock.advance(startMs + 11 * MINUTE - clock.nowMs());
      return (await store.get('anomaly', anomaly.id)) as Anomaly;
    },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

withDatabase(
  'what is said at one console holds at every reporter, and is taken back at another',
  async ({ database, connect }) => {
    await using other = await connect();
    const clock = new ManualClock(T0);
    await using first = await openConsole(database, clock);
    await using second = await openConsole(other, clock);
    const real = await first.find(T0);
    const alarm = await second.find(T0 + DAY);
    await second.feedback.label(real.incidentId as string, { label: 'wrong_cause', cause: 'database', by: 'ada' });
    assert.equal((await first.store.get('incident', real.incidentId as string))?.causes[0]?.service, 'database');
    const incidentId = alarm.incidentId as string;
    await assert.rejects(first.feedback.label(incidentId, { label: 'false_alarm', by: 'ada' }), { code: 'conflict' });
    const answer = await first.feedback.label(incidentId, { label: 'false_alarm', by: 'ada', force: true });
    assert.equal(answer?.preview?.sentence, '2 fewer alerts, 1 confirmed incident hidden');
    const held = await second.find(T0 + 2 * DAY);
    assert.deepEqual([held.incidentId, held.quiet?.rule], [null, answer.feedback?.id]);
    await second.feedback.takeBack(answer.feedback?.id ?? '', 'bob');
    assert.notEqual((await first.find(T0 + 3 * DAY)).incidentId, null);
    assert.equal((await first.store.get('incident', incidentId))?.feedback, null);
    const { precision, labels } = await first.feedback.quality();
    assert.deepEqual([precision, labels.wrong_cause, labels.false_alarm], [1, 1, 0]);
  },
);

withDatabase(
  'many consoles at once leave one label of an incident and the rules that belong to it',
  async ({ database, connect }) => {
    await using other = await connect();
    const clock = new ManualClock(T0);
    await using first = await openConsole(database, clock);
    await using second = await openConsole(other, clock);
    const { incidentId } = await first.find(T0);
    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (n % 2 === 0 ? first : second).feedback.label(incidentId as string, {
          label: n % 3 === 0 ? 'false_alarm' : 'real',
          by: `p${n}`,
        }),
      ),
    );
    const said = await first.feedback.list({});
    assert.equal(new Set(said.map(({ id }) => id)).size, 10);
    const counting = said.filter(({ takenBack }) => takenBack === null);
    assert.equal(counting.length, 1);
    const again = await second.find(T0 + DAY);
    assert.equal(again.quiet?.rule, counting[0]?.rule?.id);
  },
);
