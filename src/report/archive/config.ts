import { z } from 'zod';
import { duration, finiteDuration } from '../../lib/config-types.ts';

const s3ArchiveConfigSchema = z
  .strictObject({
    bucket: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]{1,253}[A-Za-z0-9]$/, 'must be the name of a bucket, such as my-reports')
      .optional()
      .meta({ description: 'Bucket that reports are also written to; absent: none' }),
    prefix: z
      .string()
      .regex(/^[^/].*[^/]$|^[^/]?$/, 'begins and ends without a slash')
      .default('reports')
      .meta({ description: 'What keys begin with, before /YYYY/MM/DD/<incident id>/' }),
    region: z.string().optional().meta({ description: "Region of the bucket; absent: as the AWS SDK's own settings say" }),
    endpoint: z.url().optional().meta({ description: 'URL of another service that speaks the protocol of S3' }),
    path_style: z
      .boolean()
      .default(false)
      .meta({ description: 'The bucket is in the path of a URL, not in the host name; what other services often need' }),
    encryption: z
      .enum(['AES256', 'aws:kms', 'none'])
      .default('AES256')
      .meta({ description: 'Server-side encryption that is asked for; none leaves it to the bucket' }),
    kms_key_id: z.string().optional().meta({ description: 'Key of aws:kms; absent: the one that AWS keeps for the account' }),
    access_key_id: z.string().optional().meta({ description: 'Absent: the credentials that the AWS SDK finds, such as a role' }),
    secret_access_key: z.string().optional().meta({ description: 'Belongs to access_key_id', secret: true }),
    session_token: z.string().optional().meta({ description: 'Of temporary credentials', secret: true }),
    timeout: finiteDuration('10s', 1).meta({
      description: 'A request to S3 that takes longer has failed, and is tried again later',
    }),
  })
  .superRefine((s3, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ((s3.access_key_id === undefined) !== (s3.secret_access_key === undefined)) {
      refuse('secret_access_key', 'goes with access_key_id: give both or neither');
    }
    if (s3.kms_key_id !== undefined && s3.encryption !== 'aws:kms') refuse('kms_key_id', 'is for encryption aws:kms');
  });
export type S3ArchiveConfig = z.output<typeof s3ArchiveConfigSchema>;

export const archiveConfigSchema = z.strictObject({
  folder: z.boolean().default(true).meta({ description: 'Writes the newest version of each report to report.directory' }),
  retention: duration('none').meta({
    description:
      'Files and objects of incidents that began longer ago are removed; none keeps them, whatever store.retention says',
  }),
  s3: s3ArchiveConfigSchema.prefault({}),
});
export type ArchiveConfig = z.output<typeof archiveConfigSchema>;
