import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configurationReference } from '../src/config/docs.ts';
import { ERROR_CODES } from '../src/lib/errors.ts';
import type { MetricDefinition } from '../src/lib/metrics.ts';

const root = join(import.meta.dirname, '..');
const GENERATED = 'Generated from the code by `npm run docs`; do not edit.';

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}

function isMetric(value: unknown): value is MetricDefinition {
  return typeof value === 'object' && value !== null && 'name' in value && 'type' in value && 'help' in value;
}

/** What every room's metrics.ts, and that of an adapter, exports, by name. */
export async function metricDefinitions(): Promise<MetricDefinition[]> {
  const files = globSync(['src/*/metrics.ts', 'src/*/*/*-metrics.ts'], { cwd: root }).toSorted();
  const modules = await Promise.all(
    files.map((file) => import(pathToFileURL(join(root, file)).href) as Promise<Record<string, unknown>>),
  );
  // A room may export them one by one or as a table of names.
  const tables = modules.flatMap((exported) => Object.values(exported).filter((value) => typeof value === 'object'));
  const definitions = tables.flatMap((value) => (isMetric(value) ? [value] : Object.values(value ?? {}).filter(isMetric)));
  return [...new Set(definitions)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function metricsReference(definitions: readonly MetricDefinition[]): string {
  const rows = definitions.map(
    ({ name, type, help, labels = [] }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${cell(help)} |`,
  );
  return `# Metrics

${GENERATED}

HELIOS measures itself; \`GET /metrics\` answers in the Prometheus text format. Units are the last word of a name, counters end in \`_total\`.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function errorsReference(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { status, grpc, retryable, title }]) =>
      `| \`${code}\` | ${status} | ${grpc} | ${retryable ? 'yes' : 'no'} | ${cell(title)} |`,
  );
  return `# Errors

${GENERATED}

Every error answer is a problem document (RFC 9457, \`application/problem+json\`):
\`{"type":"urn:helios:error:<code>","title":…,"status":…,"code":"<code>","detail":"cannot X: Y"}\`, with \`field\` where one is at fault.
\`code\` is stable; \`detail\` is for people. Where a retry may work, wait for \`Retry-After\` seconds when the answer has that header. Codes with status
500 that speak of configuration, data directory or address also end \`helios serve\` with that sentence and exit code 1.

| code | HTTP status | gRPC status | retry | meaning |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

/** The generated reference pages by path from the root of the repository. */
export async function referencePages(): Promise<Record<string, string>> {
  return {
    'docs/configuration.md': configurationReference(),
    'docs/errors.md': errorsReference(),
    'docs/metrics.md': metricsReference(await metricDefinitions()),
  };
}
