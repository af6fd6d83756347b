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
