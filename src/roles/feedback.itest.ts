import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { configSchema } from '../config/config.ts';
import { isoTime, systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { createPrng } from '../lib/prng.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Incident } from '../model/incident.ts';
import { createCommitSignal, publishCommitted } from './commit-signal.ts';
import { createControl } from './control.ts';
import { openFeedback } from './feedback-service.ts';
import { openLogs } from './logs.ts';
import { openPipelineThread } from './pipeline-client.ts';
import { openStoreThread } from './store-client.ts';

const START_MS = Date.parse('2026-01-05T10:00:00Z');
const MINUTE = 60_000;
const EVENTS_PER_SECOND = 10;
const config = configSchema.parse({ clock: 'events', log_level: 'error' });

/** One second of a service that fails in the last minutes of every hour. */
function second(at: number): Buffer {
  const prng = createPrng(at + 1);
  const lines = Array.from({ length: EVENTS_PER_SECOND }, (_, n) => {
    const isFault = at % 3600 >= 40 * 60 && at % 3600 < 45 * 60;
    const level = prng.next() < (isFault ? 0.3 : 0.01) ? 'ERROR' : 'INFO';
    const timestamp = isoTime(START_MS + at * 1000 + n * 100);
    return JSON.stringify({ timestamp, service: 'shop', level, message: 'pay', metadata: { latency_ms: 20 + prng.below(10) } });
  });
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** The threads of an embedded process over a data directory, with feedback, and no doors. */
async function openThreads(dir: string) {
  await using opening = new AsyncDisposableStack();
  const onDeath = (error: Error): void => {
    throw error;
  };
  const common = { config, dir, logger: silentLogger, metrics: silentMetrics, onDeath };
  const { log, metricsLog } = await openLogs(common, opening);
  const [storeSignal, signal, metricSignal] = [createCommitSignal(), createCommitSignal(), createCommitSignal()];
  for (const each of [storeSignal, signal]) publishCommitted(each, log.committedOffset());
  publishCommitted(metricSignal, metricsLog.committedOffset());
  const storeData = { dir, logLevel: config.log_level, signal: storeSignal, config: config.store };
  const { store } = opening.use(await openStoreThread(storeData, onDeath));
  const { clock: clockMode, log_level: logLevel, anomaly_detection: detect, store: storeConfig } = config;
  const pipeline = opening.use(
    await openPipelineThread({
      data: { dir, clockMode, logLevel, signal, metricSignal, detect, store: storeConfig },
      metrics: silentMetrics,
      onOutput: () => {},
      onProgress: () => {},
      onMetricProgress: () => {},
      onDeath,
    }),
  );
  opening.defer(log.onCommit((nextOffset) => pipeline.committed(nextOffset)));
  const clock = { ...systemClock, nowMs: () => Math.max(0, pipeline.progress().watermarkMs) };
  const command = pipeline.command.bind(pipeline);
  const feedback = opening.use(
    openFeedback({
      store,
      command,
      control: createControl({ store, command, clock }),
      clock,
      wallClock: systemClock,
      gapMs: detect.incident_gap,
      previewWindowMs: config.report.feedback.preview_window,
      metrics: silentMetrics,
      logger: silentLogger,
    }),
  );
  const scope = opening.move();
  return {
    feedback,
    /** Appends these minutes of traffic, and waits until the detector is past them. */
    async play(fromMinute: number, toMinute: number): Promise<void> {
      for (let at = fromMinute * 60; at < toMinute * 60; at++) {
        const minTimestampMs = START_MS + at * 1000;
        const times = { minTimestampMs, maxTimestampMs: minTimestampMs + 900, receivedAtMs: minTimestampMs + 1000 };
        const appended = log.append({ bytes: second(at), count: EVENTS_PER_SECOND, ...times, clientId: '' });
        if (at % 60 === 59) await appended;
      }
      while (pipeline.progress().watermarkMs < START_MS + toMinute * MINUTE - 20_000) await systemClock.sleep(10);
    },
    incidents: async (): Promise<Incident[]> => (await store.list('incident', { limit: 10 })).items,
    anomalies: async (): Promise<Anomaly[]> => (await store.list('anomaly', { limit: 10 })).items,
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

test('what a person called a false alarm calls nobody in the next process, until it is taken back', async () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-feedback-'));
  try {
    let id = '';
    {
      await using first = await openThreads(dir);
      await first.play(0, 55);
      const [incident] = await first.incidents();
      const answer = await first.feedback.label(incident?.id ?? '', { label: 'false_alarm', by: 'ada' });
      assert.equal(answer?.preview?.sentence, '1 fewer alert, 0 confirmed incidents hidden');
      id = answer.feedback?.id ?? '';
      assert.equal((await first.incidents())[0]?.feedback?.label, 'false_alarm');
    }
    await using second = await openThreads(dir);
    await second.play(55, 115);
    assert.equal((await second.incidents()).length, 1);
    const [held] = await second.anomalies();
    assert.equal(held?.quiet?.rule, id);
    assert.equal(held.state, 'resolved');
    assert.equal((await second.feedback.takeBack(id, 'bob'))?.takenBack?.by, 'bob');
    await second.play(115, 170);
    const incidents = await second.incidents();
    assert.equal(incidents.length, 2);
    assert.equal(incidents[1]?.feedback, null);
    assert.deepEqual(
      (await second.feedback.list({})).map((said) => [said.id, said.takenBack?.reason]),
      [[id, 'person']],
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
