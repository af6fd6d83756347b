import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { ROLE_JOBS, SERVER_ERRORS } from '../../scripts/dashboards/selectors.ts';
import { exportedSeries, problemsOfPromql } from './promql.ts';

const folder = join(import.meta.dirname, '../../infrastructure/prometheus');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; action: string };
}
const rules = (parse(read('helios.rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

test('every alert asks for metrics and labels that HELIOS exports', () => {
  const series = exportedSeries();
  assert.deepEqual(
    rules.flatMap(({ expr }) => problemsOfPromql(expr, series)),
    [],
  );
});

test('every alert has a severity, and says what happened and what to do', () => {
  assert.ok(rules.length >= 12);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, for: wait = '0m', labels, annotations } of rules) {
    assert.match(alert, /^Helios[A-Z]\w+$/);
    assert.match(wait, /^\d+m$/, alert);
    assert.match(labels.severity, /^(critical|warning)$/, alert);
    assert.ok(annotations.summary.length > 10 && annotations.action.length > 10, alert);
  }
});

test('every alert has a unit test, and only alerts that exist have one', () => {
  const { tests } = parse(read('helios.rules.test.yml')) as { tests: { alert_rule_test: { alertname: string }[] }[] };
  const tested = new Set(tests.flatMap((each) => each.alert_rule_test.map(({ alertname }) => alertname)));
  assert.deepEqual([...tested].toSorted(), rules.map(({ alert }) => alert).toSorted());
});

test('the error ratio counts every answer that is the fault of the server', () => {
  const errors = rules.find(({ alert }) => alert === 'HeliosIngestErrors');
  assert.equal(/code=~"([^"]+)"/.exec(errors?.expr ?? '')?.[1], SERVER_ERRORS);
});

test('the roles that are watched are those that are scraped', () => {
  const { scrape_configs: jobs } = parse(read('prometheus.yml')) as {
    scrape_configs: { job_name: string; dns_sd_configs?: { names: string[]; port: number }[] }[];
  };
  const roles = jobs.filter((job) => job.dns_sd_configs !== undefined);
  assert.equal(roles.map((job) => job.job_name).join('|'), ROLE_JOBS);
  for (const { job_name: name, dns_sd_configs: [discovery] = [] } of roles) {
    assert.deepEqual(discovery?.names, [name]);
    assert.equal(discovery?.port, 8080);
  }
  const down = rules.find(({ alert }) => alert === 'HeliosProcessDown');
  assert.ok(down?.expr.includes(`"${ROLE_JOBS}"`));
});
