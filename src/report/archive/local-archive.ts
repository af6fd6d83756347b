import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HeliosError, systemCode } from '../../lib/errors.ts';
import type { Report } from '../../model/report.ts';
import type { Archive } from './archive.ts';
import { dayParts, isPast, placeName } from './archive-place.ts';

/** `YYYY/MM/DD/<incidentId>` under the archive's directory, by the day on which the incident began, in UTC. */
export function archivePath(incidentId: string, startedAt: string): string {
  return join(...dayParts(startedAt), placeName(incidentId));
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

/** Whether what is filed is the same report or one that was written later, by this process or another. */
async function isSuperseded(path: string, { version, createdAt }: Report): Promise<boolean> {
  try {
    const filed = JSON.parse(await readFile(path, 'utf8')) as Partial<Report>;
    return String(filed.createdAt) > createdAt || (filed.createdAt === createdAt && filed.version === version);
  } catch {
    // There is none, or it is damaged: it is written anew.
    return false;
  }
}

/** Writes the newest version of a report as `.md` and `.json`, unless a later one is there; a reader sees the old file or the new one, never half. */
export async function archiveReport(directory: string, report: Report, startedAt: string): Promise<void> {
  const base = join(directory, archivePath(report.incidentId, startedAt));
  try {
    if (await isSuperseded(`${base}.json`, report)) return;
    await mkdir(join(base, '..'), { recursive: true });
    await replaceFile(`${base}.md`, report.markdown);
    await replaceFile(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw new HeliosError('data_dir_unusable', `cannot write report ${base}: ${(error as Error).message}`, { cause: error });
  }
}

/** Names in a folder, none when it is not there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw error;
  }
}

/** Leaves a folder that holds anything, or in which a report is being written. */
async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(systemCode(error))) throw error;
  }
}

async function removeDay(folder: string): Promise<number> {
  const files = (await namesIn(folder)).filter((name) => /\.(md|json)(\.tmp)?$/.test(name));
  for (const file of files) await rm(join(folder, file), { force: true });
  await removeIfEmpty(folder);
  return files.length;
}

async function removePast(directory: string, parts: readonly string[], beforeMs: number): Promise<number> {
  const folder = join(directory, ...parts);
  if (parts.length === 3) return removeDay(folder);
  let removed = 0;
  for (const name of await namesIn(folder)) {
    if (isPast([...parts, name], beforeMs)) removed += await removePast(directory, [...parts, name], beforeMs);
  }
  if (parts.length > 0) await removeIfEmpty(folder);
  return removed;
}

/** An archive in a folder: `YYYY/MM/DD/<incident id>.md` and `.json`, always the newest version; as the store has it, not redacted. */
export function openLocalArchive(directory: string): Archive {
  return {
    name: 'folder',
    supports: { versions: false },
    write: (report, { startedAt }) => archiveReport(directory, report, startedAt),
    async remove(beforeMs) {
      try {
        return await removePast(directory, [], beforeMs);
      } catch (error) {
        throw new HeliosError('data_dir_unusable', `cannot remove old reports from ${directory}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
