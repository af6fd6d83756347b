import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import type { Database, Row, Session } from './database.ts';
import { putDocuments } from './document-writer.ts';
import { appendOutbox } from './outbox.ts';

/** A report that is due, and this process's to write until its lease ends. */
export interface ReportJob {
  /** In its newest form. */
  incident: Incident;
  nextVersion: number;
  /** Attempts that failed since the last report. */
  failures: number;
  /** What had happened to the incident by now, and whose turn it is. */
  news: number;
  claim: number;
}

/** Whatever the number of processes, one at a time writes a report of an incident. Times are the database's. */
export interface ReportJobs {
  /** The job that is due for longest; undefined when none is. */
  claim(owner: string, leaseMs: number): Promise<ReportJob | undefined>;
  /**
   * Stores the report and tells the consoles; false, and nothing is stored, when the lease has ended and another took the job. What happened to
   * the incident meanwhile is reported again, at once when it is over now, else after the interval; one that is still open is so once
   * more `rebuildMs` after its first report, whatever happens. After `unavailable` nobody knows whether the
   * report is stored: called again with the same one it stores it once.
   */
  finish(job: ReportJob, report: Report): Promise<boolean>;
  /** Stores a report, whatever jobs there are, and tells the consoles; false, and nothing is stored, when its version is not the next one. */
  amend(report: Report): Promise<boolean>;
  /** Gives the job back, to be tried again after `delayMs`. */
  fail(job: ReportJob, delayMs: number): Promise<void>;
}

function isFinal({ status, mergedInto }: Incident): boolean {
  return status === 'resolved' || mergedInto !== null;
}

/** An incident as it is now and, when it was known, was before. */
export interface IncidentNews {
  incident: Incident;
  before: Incident | undefined;
}

/**
 * Makes reports due, inside of the transaction that stores the incidents: at once when one is heard of first or closes, else `intervalMs` after
 * the last report. After a failure the delay is what counts.
 */
export async function scheduleReports(
  session: Pick<Session, 'query'>,
  news: readonly IncidentNews[],
  intervalMs: number,
): Promise<void> {
  if (news.length === 0) return;
  const ids = news.map(({ incident }) => incident.id);
  const atOnce = news.map(({ incident, before }) => !before || (isFinal(incident) && !isFinal(before)));
  // A report that is being stored is waited for in a statement of its own: the next one sees it, and counts the interval from it.
  await session.query('SELECT FROM report_jobs WHERE incident_id = ANY($1::text[]) ORDER BY incident_id FOR UPDATE', [ids]);
  await session.query(
    `INSERT INTO report_jobs AS j (incident_id, due_at)
     SELECT n.id, CASE WHEN n.at_once THEN clock_timestamp() ELSE greatest(clock_timestamp(), coalesce(
       to_timestamp((SELECT max(d.time_ms) FROM documents d WHERE d.kind = 'report' AND d.key = n.id AND d.is_newest) / 1000)
         + make_interval(secs => $3::float8 / 1000), clock_timestamp())) END
     FROM unnest($1::text[], $2::boolean[]) AS n (id, at_once)
     ON CONFLICT (incident_id) DO UPDATE
       SET news = j.news + 1, due_at = CASE WHEN j.failures > 0 THEN j.due_at ELSE least(j.due_at, excluded.due_at) END`,
    [ids, atOnce, intervalMs],
  );
}

/** Until the transaction ends nobody else gives a report of the incident its version. */
async function lockReports(session: Session, incidentId: string): Promise<void> {
  await session.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`report ${incidentId}`]);
}

function jobOf(row: Row): ReportJob {
  return {
    incident: row['body'] as Incident,
    nextVersion: Number(row['version']) + 1,
    failures: Number(row['failures']),
    news: Number(row['news']),
    claim: Number(row['claims']),
  };
}

/** Whether an earlier call stored it, whose answer was lost; the job's row is locked, so that call has come to its end. */
async function isStored(session: Pick<Session, 'query'>, job: ReportJob, { createdAt }: Report): Promise<boolean> {
  const { rows } = await session.query(
    "SELECT FROM documents WHERE kind = 'report' AND key = $1 AND version >= $2 AND body->>'createdAt' = $3",
    [job.incident.id, job.nextVersion, createdAt],
  );
  return rows.length > 0;
}

/** Milliseconds until an open incident is reported once more, whatever happens; 0 when it has been, or is over. */
async function untilRebuilt(session: Pick<Session, 'query'>, incident: Incident, rebuildMs: number): Promise<number> {
  if (isFinal(incident)) return 0;
  const { rows } = await session.query(
    `SELECT min(time_ms) + $2::float8 - extract(epoch FROM clock_timestamp()) * 1000 AS ms
     FROM documents WHERE kind = 'report' AND key = $1`,
    [incident.id, rebuildMs],
  );
  return Math.max(0, Number(rows[0]?.['ms'] ?? 0));
}

export function createReportJobs(
  database: Database,
  { intervalMs, rebuildMs }: { intervalMs: number; rebuildMs: number },
): ReportJobs {
  return {
    async claim(owner, leaseMs) {
      const { rows } = await database.query(
        `WITH due AS (
           SELECT incident_id FROM report_jobs
           WHERE due_at <= clock_timestamp() AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
           ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
         ), taken AS (
           UPDATE report_jobs j SET claims = j.claims + 1, claimed_by = $1,
             claimed_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
           FROM due WHERE j.incident_id = due.incident_id RETURNING j.*
         )
         SELECT t.news, t.claims, t.failures, i.body,
           coalesce((SELECT max(r.version) FROM documents r WHERE r.kind = 'report' AND r.key = t.incident_id), 0) AS version
         FROM taken t JOIN documents i ON i.kind = 'incident' AND i.key = t.incident_id AND i.is_newest`,
        [owner, leaseMs],
      );
      return rows[0] && jobOf(rows[0]);
    },

    finish: (job, report) =>
      database.transaction(async (session) => {
        await lockReports(session, job.incident.id);
        const { rows } = await session.query(
          `SELECT j.news, i.status = 'resolved' AS is_final,
             coalesce((SELECT max(r.version) FROM documents r WHERE r.kind = 'report' AND r.key = j.incident_id), 0) + 1 AS version
           FROM report_jobs j JOIN documents i ON i.kind = 'incident' AND i.key = j.incident_id AND i.is_newest
           WHERE j.incident_id = $1 AND j.claims = $2 FOR UPDATE OF j`,
          [job.incident.id, job.claim],
        );
        const [row] = rows;
        if (await isStored(session, job, report)) return true;
        if (!row) return false;
        // Somebody may have asked for one meanwhile.
        const stored: Report = { ...report, version: Number(row['version']) };
        await putDocuments(session, 'report', [stored]);
        const hasNews = Number(row['news']) !== job.news;
        const newsMs = row['is_final'] === true && !isFinal(job.incident) ? 0 : intervalMs;
        const waitMs = hasNews ? newsMs : await untilRebuilt(session, job.incident, rebuildMs);
        if (!hasNews && waitMs === 0) {
          await session.query('DELETE FROM report_jobs WHERE incident_id = $1', [job.incident.id]);
        } else {
          // The next claim is another one: who had this one is done.
          await session.query(
            `UPDATE report_jobs SET claims = claims + 1, claimed_by = NULL, claimed_until = NULL, failures = 0,
               due_at = clock_timestamp() + make_interval(secs => $2::float8 / 1000) WHERE incident_id = $1`,
            [job.incident.id, waitMs],
          );
        }
        await appendOutbox(session, [{ event: 'report', body: stored }]);
        return true;
      }),

    amend: (report) =>
      database.transaction(async (session) => {
        await lockReports(session, report.incidentId);
        const { rows } = await session.query("SELECT max(version) AS newest FROM documents WHERE kind = 'report' AND key = $1", [
          report.incidentId,
        ]);
        if (Number(rows[0]?.['newest'] ?? 0) + 1 !== report.version) return false;
        await putDocuments(session, 'report', [report]);
        await appendOutbox(session, [{ event: 'report', body: report }]);
        return true;
      }),

    async fail(job, delayMs) {
      await database.query(
        `UPDATE report_jobs SET claimed_by = NULL, claimed_until = NULL, failures = failures + 1,
           due_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000) WHERE incident_id = $1 AND claims = $2`,
        [job.incident.id, job.claim, delayMs],
      );
    },
  };
}
