import type { Redactor } from '../../lib/redaction/redactor.ts';
import type { ReportConfig } from '../config.ts';
import type { ArchiveWriterOptions } from './archive-writer.ts';
import type { Archive } from './archive.ts';
import { openLocalArchive } from './local-archive.ts';
import { openS3Archive } from './s3-archive.ts';

export interface ArchivesOptions extends Pick<ArchiveWriterOptions, 'clock'> {
  config: Pick<ReportConfig, 'archive'>;
  /** Of the folder; null where there is none to write to, such as in a function without a disk. */
  directory: string | null;
  redactor: Redactor;
}

/** The archives that the configuration asks for; nothing is written or connected to yet. */
export function openArchives({ config, directory, redactor, clock }: ArchivesOptions): Archive[] {
  const { folder, s3 } = config.archive;
  const archives: Archive[] = [];
  if (folder && directory !== null) archives.push(openLocalArchive(directory));
  if (s3.bucket !== undefined) archives.push(openS3Archive({ config: { ...s3, bucket: s3.bucket }, redactor, clock }));
  return archives;
}
