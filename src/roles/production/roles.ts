import type { Config } from '../../config/config.ts';

export type RoleName = 'ingest' | 'store' | 'detect' | 'report' | 'console';
const EVERY_ROLE: readonly RoleName[] = ['ingest', 'store', 'detect', 'report', 'console'];

/** The roles that this process plays. */
export function rolesOf({ target }: Config): ReadonlySet<RoleName> {
  const named = target.filter((name) => name !== 'all');
  return new Set(target.includes('all') ? EVERY_ROLE : named);
}

/** Whether logs are topics and the store is a database server. */
export function isDistributed(config: Config): boolean {
  return config.kafka.brokers.length > 0;
}

/** Consumer groups by what they do; a prefix keeps several installations on one cluster apart. */
export function groupName(config: Config, group: 'storage-writers' | 'detectors' | 'trace-joiners' | 'reporters'): string {
  return `${config.kafka.group_prefix}${group}`;
}
