import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { ALL_METRICS } from '../../src/roles/metrics.ts';

/** What one query reads. */
export interface PromqlUse {
  metrics: { name: string; labels: string[] }[];
  /** Of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  groupingLabels: string[];
}

/** Labels that Prometheus adds to everything it scrapes. */
const TARGET_LABELS = ['job', 'instance'];
const HISTOGRAM_SUFFIXES = ['_bucket', '_sum', '_count'];

/** Grafana's own variables, which it replaces before Prometheus reads the query. */
function withoutMacros(query: string): string {
  return query.replaceAll('$__rate_interval', '1m').replaceAll('$__interval', '1m').replaceAll('$__range', '1h');
}

function texts(node: SyntaxNode, type: string, source: string): string[] {
  return node.getChildren(type).map((child) => source.slice(child.from, child.to));
}

/** Metrics and labels of a query; throws where it is not PromQL. */
export function readPromql(query: string): PromqlUse {
  const source = withoutMacros(query);
  const use: PromqlUse = { metrics: [], groupingLabels: [] };
  parser.parse(source).iterate({
    enter(cursor) {
      const node = cursor.node;
      if (cursor.type.isError) throw new Error(`not PromQL at character ${cursor.from}: ${source}`);
      if (cursor.name === 'GroupingLabels') use.groupingLabels.push(...texts(node, 'LabelName', source));
      if (cursor.name !== 'VectorSelector') return;
      const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
      use.metrics.push({
        name: texts(node, 'Identifier', source)[0] ?? '',
        labels: matchers.flatMap((matcher) => texts(matcher, 'LabelName', source)),
      });
    },
  });
  return use;
}

/** Labels of every series that Prometheus can have of HELIOS, by its name. */
export function exportedSeries(): Map<string, string[]> {
  const series = new Map<string, string[]>([['up', TARGET_LABELS]]);
  for (const { name, type, labels = [] } of ALL_METRICS) {
    const all = [...labels, ...TARGET_LABELS];
    if (type !== 'histogram') series.set(name, all);
    else for (const suffix of HISTOGRAM_SUFFIXES) series.set(name + suffix, suffix === '_bucket' ? [...all, 'le'] : all);
  }
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) series.set(name, TARGET_LABELS);
  return series;
}

/** What a query asks for that nothing exports, in words; also what is not PromQL. */
export function problemsOfPromql(query: string, series: ReadonlyMap<string, readonly string[]>): string[] {
  let use: PromqlUse;
  try {
    use = readPromql(query);
  } catch (error) {
    return [(error as Error).message];
  }
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { name, labels } of use.metrics) {
    const known = series.get(name);
    if (!known) problems.push(`nothing exports ${name}: ${query}`);
    for (const label of known ?? []) seen.add(label);
    for (const label of labels) if (known && !known.includes(label)) problems.push(`${name} has no label ${label}: ${query}`);
  }
  if (use.metrics.length === 0) problems.push(`reads no metric: ${query}`);
  for (const label of use.groupingLabels) if (!seen.has(label)) problems.push(`nothing here has the label ${label}: ${query}`);
  return problems;
}
