import { HeliosError } from '../../lib/errors.ts';
import type { Database, Session } from './database.ts';

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

/** Moves the offsets of several partitions as `advance` does, all of them or none; each partition once. */
export async function advanceAll(
  session: Pick<Session, 'query'>,
  moves: readonly { key: PartitionKey; claim: Claim; nextOffset: number }[],
): Promise<void> {
  if (moves.length === 0) return;
  const { rowCount } = await session.query(
    `UPDATE partition_progress AS p SET next_offset = m.next_offset, updated_at = now()
     FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[])
       AS m (consumer_group, topic, log_partition, next_offset, expected_offset, epoch)
     WHERE p.consumer_group = m.consumer_group AND p.topic = m.topic AND p.log_partition = m.log_partition
       AND p.next_offset = m.expected_offset AND p.epoch = m.epoch`,
    [
      moves.map(({ key }) => key.group),
      moves.map(({ key }) => key.topic),
      moves.map(({ key }) => key.partition),
      moves.map(({ nextOffset }) => nextOffset),
      moves.map(({ claim }) => claim.nextOffset),
      moves.map(({ claim }) => claim.epoch),
    ],
  );
  if (rowCount === moves.length) return;
  throw new HeliosError('conflict', 'cannot commit: another process has taken over a partition');
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

/** A log as its reader finds it. */
export interface FoundLog {
  /** Another one when the log was made anew. */
  id: string;
  /** Offset of the next record to be written. */
  endOffset: number;
}

/** What became of the stored offset. `anew`: of another log of the same name; `shortened`: the log ends before it. */
export type LogOutcome = { state: 'same' } | { state: 'anew' | 'shortened'; storedOffset: number; nextOffset: number };

/** The requests stay known, for a client may yet repeat them. */
const MOVE_REQUESTS = `WITH gone AS (DELETE FROM stored_requests WHERE ${WHERE_KEY} AND next_offset > $4 RETURNING next_offset, hashes)
  INSERT INTO stored_requests AS s (consumer_group, topic, log_partition, next_offset, hashes)
  SELECT $1, $2, $3, $4, string_agg(hashes, ''::bytea ORDER BY next_offset) FROM gone HAVING count(*) > 0
  ON CONFLICT (consumer_group, topic, log_partition, next_offset) DO UPDATE SET hashes = s.hashes || excluded.hashes`;

/**
 * Claims the partition and sees to it that its offset is one of this log: 0 where the log is another one than that which was stored
 * from, the end where it has lost what was stored of it. Nothing that is stored changes, and nothing of the log is left out.
 */
export function adoptLog(database: Database, key: PartitionKey, owner: string, log: FoundLog): Promise<LogOutcome> {
  return database.transaction(async (session) => {
    const { nextOffset: storedOffset } = await claimPartition(session, key, owner);
    const values = keyValues(key);
    const { rows } = await session.query(`SELECT log_id FROM partition_progress WHERE ${WHERE_KEY}`, values);
    const knownId = String(rows[0]?.['log_id']);
    const state = knownId !== '' && knownId !== log.id ? 'anew' : storedOffset > log.endOffset ? 'shortened' : 'same';
    if (state === 'same' && knownId === log.id) return { state };
    const nextOffset = state === 'anew' ? 0 : Math.min(storedOffset, log.endOffset);
    await session.query(`UPDATE partition_progress SET next_offset = $4, log_id = $5 WHERE ${WHERE_KEY}`, [
      ...values,
      nextOffset,
      log.id,
    ]);
    if (state === 'same') return { state };
    await session.query(`UPDATE checkpoints SET next_offset = least(next_offset, $4) WHERE ${WHERE_KEY}`, [
      ...values,
      nextOffset,
    ]);
    await session.query(MOVE_REQUESTS, [...values, nextOffset]);
    return { state, storedOffset, nextOffset };
  });
}
