import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { createMetricDetector } from '../detect/metric-engine.ts';
import { rankByHelios, rankingInput, seriesKey } from './cause-ranking.ts';
import { detectSeries } from './detection-job.ts';
import { findSets } from './folder.ts';
import { readComponentMetrics } from './layouts/component-metrics.ts';
import { readLabelledValues } from './layouts/dated-values.ts';
import { readResourceRows } from './layouts/resource-rows.ts';
import { readServerRows } from './layouts/server-rows.ts';
import { readMicroservices } from './layouts/service-metrics.ts';
import type { EntityTable, Telemetry } from './telemetry.ts';

const data = process.env['HELIOS_TEST_DATA'];
const options = { skip: data === undefined && 'HELIOS_TEST_DATA is not set' };
const WEEKS_MS = 3 * 7 * 86_400_000;
const detection = { seed: 1, falseAlarmBudget: 0.05 };
const setOf = (name: string): ReturnType<typeof findSets>[number] => findSets(join(data as string, name))[0] as never;

const renamed = (name: string): string =>
  `n${Array.from(name).reduce((hash, char) => (hash * 31 + char.charCodeAt(0)) % 1e9, 7)}`;

/** A table with its series the other way round. */
function reordered(table: EntityTable): EntityTable {
  const width = table.series.length;
  const values = table.values.map((_, at) => table.values[at - (at % width) + width - 1 - (at % width)] as number);
  const units = table.units?.toReversed();
  return { ...table, series: table.series.toReversed(), values, ...(units ? { units } : {}) };
}

/** The same recording with other names, its entities and their series in another order, whole weeks later. */
function disguised({ tables, calls }: Telemetry): Telemetry {
  return {
    eventsPath: null,
    calls: calls.map(([caller, callee]) => [renamed(caller), renamed(callee)] as const).toReversed(),
    tables: tables
      .toReversed()
      .map(reordered)
      .map((table) => ({
        ...table,
        entity: renamed(table.entity),
        series: table.series.map(renamed),
        timeMs: table.timeMs.map((timeMs) => timeMs + WEEKS_MS),
      })),
  };
}

const recordings: Record<string, () => Telemetry | undefined> = {
  asd: () => readServerRows(setOf('asd'))[0]?.telemetry,
  'ms-cloud': () => readLabelledValues(setOf('ms-cloud'))[0]?.telemetry,
  petshop: () => readComponentMetrics(setOf('petshop'))[0]?.telemetry,
  'sock-shop': () => readResourceRows(setOf('sock-shop'))[0]?.telemetry,
  nezha: () => readMicroservices(setOf('nezha-train-ticket-2023-01-30'))[0]?.telemetry,
};

for (const [name, recording] of Object.entries(recordings)) {
  test(
    `on ${name}, other names, entities and series in another order, and whole weeks later change no verdict and no rank`,
    options,
    () => {
      const telemetry = recording();
      assert.ok(telemetry);
      const other = disguised(telemetry);
      const verdicts = detectSeries(telemetry, createMetricDetector, detection);
      const others = new Map(detectSeries(other, createMetricDetector, detection).map((own) => [own.entity, own]));
      for (const { entity, score, firing } of verdicts) {
        const twin = others.get(renamed(entity));
        assert.deepEqual(firing, twin?.firing, entity);
        for (const [tick, value] of score.entries())
          assert.ok(Math.abs(value - (twin?.score[tick] as number)) < 1e-6, `${entity} ${tick}`);
      }
      const timeMs = telemetry.tables[0]?.timeMs ?? new Float64Array();
      const span = { onsetMs: timeMs.at(-5) as number, untilMs: (timeMs.at(-1) as number) + 1 };
      const shifted = { onsetMs: span.onsetMs + WEEKS_MS, untilMs: span.untilMs + WEEKS_MS };
      const [ranked, again] = [rankByHelios(rankingInput(telemetry, span)), rankByHelios(rankingInput(other, shifted))];
      assert.equal(ranked.byEntity.size, again.byEntity.size);
      for (const [entity, score] of ranked.byEntity)
        assert.ok(Math.abs(score - (again.byEntity.get(renamed(entity)) as number)) < 1e-6, entity);
      for (const [key, score] of ranked.bySeries) {
        const [entity = '', series = ''] = key.split('\0');
        assert.ok(Math.abs(score - (again.bySeries.get(seriesKey(renamed(entity), renamed(series))) as number)) < 1e-6, key);
      }
    },
  );
}
