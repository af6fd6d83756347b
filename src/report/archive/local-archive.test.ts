import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Report } from '../../model/report.ts';
import { archivePath, archiveReport, openLocalArchive } from './local-archive.ts';

const STARTED_AT = '2025-10-08T10:30:40.000Z';
const report = { incidentId: 'in-1', version: 1, createdAt: STARTED_AT, markdown: '# Incident\n' } as Report;
const LATER = '2025-10-08T10:31:10.000Z';

function withDirectory(run: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'helios-archive-'));
    try {
      await run(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

test(
  'a report is filed as Markdown and JSON under the day of its incident, a newer version in its place',
  withDirectory(async (directory) => {
    await archiveReport(directory, report, STARTED_AT);
    await archiveReport(directory, { ...report, version: 2, createdAt: LATER, markdown: '# Newer\n' }, STARTED_AT);
    await archiveReport(directory, report, STARTED_AT);
    const folder = join(directory, '2025', '10', '08');
    assert.deepEqual(readdirSync(folder).toSorted(), ['in-1.json', 'in-1.md']);
    assert.equal(readFileSync(join(folder, 'in-1.md'), 'utf8'), '# Newer\n');
    assert.equal((JSON.parse(readFileSync(join(folder, 'in-1.json'), 'utf8')) as Report).version, 2);
  }),
);

test(
  'a directory that cannot be made is one error that names the file',
  withDirectory(async (directory) => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const attempt = archiveReport(file, report, STARTED_AT);
    await assert.rejects(attempt, { code: 'data_dir_unusable', message: /cannot write report .*in-1/ });
  }),
);

test(
  'a failed write leaves no temporary file behind',
  withDirectory(async (directory) => {
    const broken = { ...report, markdown: 1n as unknown as string };
    await assert.rejects(archiveReport(directory, broken, STARTED_AT));
    assert.deepEqual(readdirSync(join(directory, '2025', '10', '08')), []);
  }),
);

test('an id never leads out of the archive', () => {
  assert.equal(archivePath('../../etc/passwd', STARTED_AT), join('2025', '10', '08', '______etc_passwd'));
  assert.equal(archivePath('', STARTED_AT), join('2025', '10', '08', '_'));
});

test(
  'only reports of days that were over by then are removed, with the folders that are empty after it',
  withDirectory(async (directory) => {
    await using archive = openLocalArchive(directory);
    const days = ['2024-12-31', '2025-09-30', '2025-10-07', '2025-10-08'];
    for (const day of days) await archive.write({ ...report, incidentId: `in-${day}` }, { startedAt: `${day}T23:59:59.000Z` });
    mkdirSync(join(directory, 'notes'));
    writeFileSync(join(directory, 'notes', 'old.md'), '');
    writeFileSync(join(directory, '2025', '09', '30', 'mine.txt'), '');
    assert.equal(await archive.remove(Date.UTC(2025, 9, 8, 23)), 6);
    assert.deepEqual(readdirSync(directory).toSorted(), ['2025', 'notes']);
    assert.deepEqual(readdirSync(join(directory, '2025')).toSorted(), ['09', '10']);
    assert.deepEqual(readdirSync(join(directory, '2025', '09', '30')), ['mine.txt']);
    assert.deepEqual(readdirSync(join(directory, '2025', '10')), ['08']);
    assert.ok(existsSync(join(directory, 'notes', 'old.md')));
    assert.equal(await archive.remove(Date.UTC(2025, 9, 8, 23)), 0);
  }),
);

test('an archive that was never written to has nothing to remove', async () => {
  assert.equal(await openLocalArchive(join(tmpdir(), 'helios-archive-that-is-not-there')).remove(Date.UTC(2030, 0)), 0);
});
