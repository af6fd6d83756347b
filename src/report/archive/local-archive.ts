import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HeliosError } from '../../lib/errors.ts';
import type { Report } from '../../model/report.ts';

/** `YYYY/MM/DD/<incidentId>` under the archive's directory, by the day on which the incident began, in UTC. */
export function archivePath(incidentId: string, startedAt: string): string {
  const [year = '0000', month = '00', day = '00'] = startedAt.slice(0, 10).split('-');
  // Ids are our own, but a file name must stay one whatever they hold.
  const name = incidentId.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 200);
  return join(year, month, day, name === '' ? '_' : name);
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o640);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes the newest version of a report as `.md` and `.json`; a reader sees the old file or the new one, never half. */
export async function archiveReport(directory: string, report: Report, startedAt: string): Promise<void> {
  const base = join(directory, archivePath(report.incidentId, startedAt));
  try {
    await mkdir(join(base, '..'), { recursive: true });
    await replaceFile(`${base}.md`, report.markdown);
    await replaceFile(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw new HeliosError('data_dir_unusable', `cannot write report ${base}: ${(error as Error).message}`, { cause: error });
  }
}
