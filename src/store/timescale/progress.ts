import { HeliosError } from '../../lib/errors.ts';
import type { Session } from './database.ts';

/** One consumer group's way through one partition. */
export interface PartitionKey {
  group: string;
  topic: string;
  partition: number;
}

/** Whose turn it is, and how far the partition is stored. */
export interface Claim {
  nextOffset: number;
  epoch: number;
}

const WHERE_KEY = 'consumer_group = $1 AND topic = $2 AND log_partition = $3';

function keyValues({ group, topic, partition }: PartitionKey): [string, string, number] {
  return [group, topic, partition];
}

function claimOf(row: Record<string, unknown>): Claim {
  return { nextOffset: Number(row['next_offset']), epoch: Number(row['epoch']) };
}

/** Makes `owner` the only one whose commits count from now on; whoever had the partition before is fenced off. */
export async function claimPartition(session: Pick<Session, 'query'>, key: PartitionKey, owner: string): Promise<Claim> {
  const { rows } = await session.query(
    `INSERT INTO partition_progress AS p (consumer_group, topic, log_partition, epoch, owner) VALUES ($1, $2, $3, 1, $4)
     ON CONFLICT (consumer_group, topic, log_partition)
     DO UPDATE SET epoch = p.epoch + 1, owner = excluded.owner, updated_at = now() RETURNING next_offset, epoch`,
    [...keyValues(key), owner],
  );
  return claimOf(rows[0] as Record<string, unknown>);
}

/**
 * Moves the offset, inside of the transaction that stores what lies before it. The row stays locked until that ends, so a claim waits for it.
 * `conflict` when another owner has claimed the partition, or the offset is not what the caller believes.
 */
export async function advance(
  session: Pick<Session, 'query'>,
  key: PartitionKey,
  claim: Claim,
  nextOffset: number,
): Promise<void> {
  const { rowCount } = await session.query(
    `UPDATE partition_progress SET next_offset = $4, updated_at = now() WHERE ${WHERE_KEY} AND next_offset = $5 AND epoch = $6`,
    [...keyValues(key), nextOffset, claim.nextOffset, claim.epoch],
  );
  if (rowCount === 1) return;
  throw new HeliosError(
    'conflict',
    `cannot commit partition ${key.partition} of ${key.topic}: another process has taken it over`,
  );
}

/**
 * What the database says of the partition, after every transaction under way has ended: how a committer learns what became of a commit
 * whose answer was lost. Undefined when nobody has claimed it.
 */
export async function readProgress(session: Pick<Session, 'query'>, key: PartitionKey): Promise<Claim | undefined> {
  const { rows } = await session.query(
    `SELECT next_offset, epoch FROM partition_progress WHERE ${WHERE_KEY} FOR UPDATE`,
    keyValues(key),
  );
  return rows[0] === undefined ? undefined : claimOf(rows[0]);
}
