import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';

export interface WriteOptions {
  onlyMissing?: boolean;
}

/** A place outside the store where reports are kept as Markdown and JSON, filed by the day on which their incident began. */
export interface Archive extends AsyncDisposable {
  /** For logs and metrics. */
  readonly name: 'folder' | 's3';
  /** `versions`: each version is kept beside the others; otherwise a newer one takes the place of the one before. */
  readonly supports: { versions: boolean };
  /**
   * Writes a report, with `onlyMissing` only where nothing is in its place; the same one again leaves the same bytes in the same place. Rejects with `unavailable` or
   * `data_dir_unusable` when it cannot be written now, and may then be called again.
   */
  write(report: Report, incident: Pick<Incident, 'startedAt'>, options?: WriteOptions): Promise<void>;
  /** Removes the reports of incidents that began on a day that was over at `beforeMs` (since the epoch); how many files or objects. */
  remove(beforeMs: number): Promise<number>;
}
