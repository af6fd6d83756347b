import type { ListObjectsV2CommandOutput, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Redactor } from '../../lib/redaction/redactor.ts';
import type { Report } from '../../model/report.ts';
import { dayParts, isPast, placeName } from './archive-place.ts';
import type { Archive, WriteOptions } from './archive.ts';
import type { S3ArchiveConfig } from './config.ts';

export interface S3ArchiveOptions {
  config: S3ArchiveConfig & { bucket: string };
  redactor: Redactor;
  clock: Clock;
}

type Sdk = typeof import('@aws-sdk/client-s3');
interface Connection {
  sdk: Sdk;
  client: S3Client;
}

/** `<prefix>/YYYY/MM/DD/<incident id>/v0001.md` without its ending. Padded, so that the last key of a list is the newest version. */
export function objectKey(
  prefix: string,
  { incidentId, version }: Pick<Report, 'incidentId' | 'version'>,
  startedAt: string,
): string {
  const name = `v${String(version).padStart(4, '0')}`;
  return [...(prefix === '' ? [] : [prefix]), ...dayParts(startedAt), placeName(incidentId), name].join('/');
}

/** Loaded at the first use: half of all starts need none of it. */
async function connect(config: S3ArchiveConfig): Promise<Connection> {
  const sdk = await import('@aws-sdk/client-s3');
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = config;
  // It is part of the signature; other services than AWS take any.
  const region = config.region ?? (config.endpoint === undefined ? undefined : 'us-east-1');
  const client = new sdk.S3Client({
    // Trying again is the archive writer's.
    maxAttempts: 1,
    forcePathStyle: config.path_style,
    // Services beside AWS know few of the checksums; SHA-256 is sent with every object as it is.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(region !== undefined && { region }),
    ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && {
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
      }),
  });
  return { sdk, client };
}

function encryptionOf(config: S3ArchiveConfig): Partial<PutObjectCommandInput> {
  if (config.encryption === 'none') return {};
  if (config.encryption === 'AES256') return { ServerSideEncryption: 'AES256' };
  // One data key for many objects: a hundredth of the calls to KMS.
  const key = config.kms_key_id === undefined ? {} : { SSEKMSKeyId: config.kms_key_id };
  return { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true, ...key };
}

/** The last part of a common prefix such as "reports/2025/10/". */
function lastPart(commonPrefix: string): string {
  return commonPrefix.split('/').at(-2) ?? '';
}

class S3Archive implements Archive {
  readonly name = 's3';
  readonly supports = { versions: true };
  readonly #options: S3ArchiveOptions;
  readonly #closing = new AbortController();
  #connection: Promise<Connection> | undefined;

  constructor(options: S3ArchiveOptions) {
    this.#options = options;
  }

  async write(report: Report, { startedAt }: { startedAt: string }, { onlyMissing = false }: WriteOptions = {}): Promise<void> {
    const { redactor, config } = this.#options;
    const key = objectKey(config.prefix, report, startedAt);
    const redacted = redactor.open({ keep: report.evidence.map(({ service }) => service) }).redactDeep(report);
    const json = `${JSON.stringify(redacted, null, 2)}\n`;
    await this.#put(`${key}.json`, json, { type: 'application/json', onlyMissing });
    await this.#put(`${key}.md`, redacted.markdown, { type: 'text/markdown', onlyMissing });
  }

  async remove(beforeMs: number): Promise<number> {
    const { prefix } = this.#options.config;
    return this.#removePast(prefix === '' ? '' : `${prefix}/`, [], beforeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const connection = await this.#connection?.catch(() => undefined);
    connection?.client.destroy();
  }

  async #put(key: string, text: string, { type, onlyMissing }: { type: string; onlyMissing: boolean }): Promise<void> {
    const { config } = this.#options;
    const body = Buffer.from(text);
    const hash = createHash('sha256').update(body).digest();
    const input: PutObjectCommandInput = {
      Bucket: config.bucket,
      Key: key,
      Body: body,
      ContentType: `${type}; charset=utf-8`,
      ChecksumSHA256: hash.toString('base64'),
      Metadata: { sha256: hash.toString('hex') },
      ...encryptionOf(config),
      ...(onlyMissing && { IfNoneMatch: '*' }),
    };
    await this.#call(`write s3://${config.bucket}/${key}`, async ({ sdk, client }, abortSignal) => {
      try {
        await client.send(new sdk.PutObjectCommand(input), { abortSignal });
      } catch (error) {
        if (!onlyMissing || (error as Error).name !== 'PreconditionFailed') throw error;
      }
    });
  }

  /** Year by year, month by month, day by day, so that only what is removed is listed object by object. */
  async #removePast(prefix: string, parts: readonly string[], beforeMs: number): Promise<number> {
    if (parts.length === 3) return this.#removeAll(prefix);
    let removed = 0;
    let token: string | undefined;
    do {
      const page = await this.#list(prefix, { Delimiter: '/', token });
      for (const { Prefix: below = '' } of page.CommonPrefixes ?? []) {
        const inside = [...parts, lastPart(below)];
        if (isPast(inside, beforeMs)) removed += await this.#removePast(below, inside, beforeMs);
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return removed;
  }

  async #removeAll(prefix: string): Promise<number> {
    const { bucket } = this.#options.config;
    let removed = 0;
    let token: string | undefined;
    do {
      const page = await this.#list(prefix, { token });
      for (const { Key: key = '' } of page.Contents ?? []) {
        if (!/\/v\d+\.(md|json)$/.test(key)) continue;
        await this.#call(`remove s3://${bucket}/${key}`, ({ sdk, client }, abortSignal) =>
          client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal }),
        );
        removed++;
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return removed;
  }

  #list(
    prefix: string,
    { token, ...rest }: { Delimiter?: string; token: string | undefined },
  ): Promise<ListObjectsV2CommandOutput> {
    const { bucket } = this.#options.config;
    const input = { Bucket: bucket, Prefix: prefix, ...rest, ...(token !== undefined && { ContinuationToken: token }) };
    return this.#call(`list s3://${bucket}/${prefix}`, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.ListObjectsV2Command(input), { abortSignal }),
    );
  }

  /** Everything that S3 or the way to it does wrong is `unavailable`: also what is denied may be allowed a minute later. */
  async #call<T>(action: string, run: (connection: Connection, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, config } = this.#options;
    const overtime = new AbortController();
    const cancel = clock.after(config.timeout, () => overtime.abort());
    try {
      this.#connection ??= connect(config);
      return await run(await this.#connection, AbortSignal.any([overtime.signal, this.#closing.signal]));
    } catch (error) {
      const { name, message } = error as Error;
      const reason = overtime.signal.aborted ? `it took longer than ${config.timeout} ms` : `${name}: ${message}`;
      throw new HeliosError('unavailable', `cannot ${action}: ${reason}`, { cause: error });
    } finally {
      cancel();
    }
  }
}

/**
 * An archive in an S3 bucket: `<prefix>/YYYY/MM/DD/<incident id>/v0001.md` and `.json`, redacted, every version. A key is
 * written with the same bytes whoever writes it, their SHA-256 is in the object's metadata, and nothing is read back.
 */
export function openS3Archive(options: S3ArchiveOptions): Archive {
  return new S3Archive(options);
}
