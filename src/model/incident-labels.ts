import { matchesGlob } from '../lib/glob.ts';
import { parseEntityId } from './entity.ts';
import type { Incident } from './incident.ts';

/** What incidents are told apart by when it is decided who hears of them. */
export const LABEL_NAMES = ['service', 'environment', 'namespace', 'severity', 'signal'] as const;
export type LabelName = (typeof LABEL_NAMES)[number];

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export const SIGNALS = ['error_rate', 'latency', 'traffic', 'silence', 'multivariate', 'metric'] as const;

/** Globs by label, of a list any one; a label left out takes everything. */
export type LabelPatterns = { [K in LabelName]?: string | string[] | undefined };

function takes(pattern: LabelPatterns[LabelName], ...values: string[]): boolean {
  if (pattern === undefined) return true;
  const globs = typeof pattern === 'string' ? [pattern] : pattern;
  return globs.some((glob) => values.some((value) => matchesGlob(glob, value)));
}

/** Whether the entity is one that the patterns name; `service` names it by its bare name or by its whole id. */
function takesEntity({ service, environment, namespace }: LabelPatterns, id: string): boolean {
  const entity = parseEntityId(id);
  return takes(service, entity.service, id) && takes(environment, entity.environment) && takes(namespace, entity.namespace);
}

/** Whether the patterns fit the incident: its severity, one of its causes' signals, and one of its services. */
export function concernsIncident(patterns: LabelPatterns, { severity, causes, services }: Incident): boolean {
  const ids = services.length > 0 ? services : [''];
  return (
    takes(patterns.severity, severity) &&
    takes(patterns.signal, ...(causes.length > 0 ? causes.map(({ signal }) => signal) : [''])) &&
    ids.some((id) => takesEntity(patterns, id))
  );
}

/**
 * Whether everything about the incident is named by one or other of `muted`: each of its services, with its severity and every signal. What is muted for
 * one service hides nothing of another.
 */
export function coversIncident(muted: readonly LabelPatterns[], { severity, causes, services }: Incident): boolean {
  const fitting = muted.filter(
    (patterns) => takes(patterns.severity, severity) && causes.every(({ signal }) => takes(patterns.signal, signal)),
  );
  return services.length > 0 && services.every((id) => fitting.some((patterns) => takesEntity(patterns, id)));
}

/** The labels of the incident's likeliest cause, for people; empty ones are left out. */
export function labelsOf({ severity, causes, services }: Incident): Record<string, string> {
  const entity = parseEntityId(causes[0]?.service ?? services[0] ?? '');
  const labels = { ...entity, severity, signal: causes[0]?.signal ?? '' };
  return Object.fromEntries(LABEL_NAMES.map((name) => [name, labels[name]]).filter(([, value]) => value !== ''));
}
