import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import * as s3 from '@aws-sdk/client-s3';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { redactionConfigSchema } from '../../lib/redaction/config.ts';
import { createRedactor } from '../../lib/redaction/redactor.ts';
import type { Redactor } from '../../lib/redaction/redactor.ts';
import type { Report } from '../../model/report.ts';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import { createArchiveWriter } from './archive-writer.ts';
import type { Archive } from './archive.ts';
import { archiveConfigSchema } from './config.ts';
import { objectKey, openS3Archive } from './s3-archive.ts';

const CREDENTIALS = { access_key_id: 'test', secret_access_key: 'test' };
const STARTED = { startedAt: '2025-10-08T23:30:40.000Z' };
const report = {
  incidentId: 'in-1',
  version: 1,
  markdown: '# Ada <ada@example.com>\n',
  timeline: [],
  evidence: [],
} as unknown as Report;

const redactor = createRedactor(redactionConfigSchema.parse({}));

function open(endpoint: string, settings: Record<string, unknown>): Archive {
  const { s3: config } = archiveConfigSchema.parse({
    s3: { bucket: 'helios', endpoint, path_style: true, ...CREDENTIALS, ...settings },
  });
  return openS3Archive({ config: { ...config, bucket: config.bucket as string }, redactor, clock: systemClock });
}

let buckets = 0;

/** A bucket of its own, emptied and removed after the test. */
async function withBucket(run: (bucket: string, client: s3.S3Client, endpoint: string) => Promise<void>): Promise<void> {
  const endpoint = serverAddress('s3') as string;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new s3.S3Client({ endpoint, forcePathStyle: true, region: 'us-east-1', credentials });
  const bucket = `helios-${process.pid}-${buckets++}`;
  await client.send(new s3.CreateBucketCommand({ Bucket: bucket }));
  await client.send(new s3.PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  try {
    await run(bucket, client, endpoint);
  } finally {
    const { Versions = [], DeleteMarkers = [] } = await client.send(new s3.ListObjectVersionsCommand({ Bucket: bucket }));
    for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) {
      await client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
    }
    await client.send(new s3.DeleteBucketCommand({ Bucket: bucket }));
    client.destroy();
  }
}

async function keysIn(client: s3.S3Client, bucket: string): Promise<string[]> {
  const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key }) => Key as string);
}

withServers(['s3'], 'the archive on a real S3 server', () => {
  test('every version is filed by date and incident as Markdown and JSON, redacted, encrypted, with its hash', () =>
    withBucket(async (bucket, client, endpoint) => {
      await using archive = open(endpoint, { bucket, prefix: 'team/reports' });
      await archive.write(report, STARTED);
      await archive.write({ ...report, version: 2 }, STARTED);
      const folder = 'team/reports/2025/10/08/in-1';
      assert.deepEqual(
        await keysIn(client, bucket),
        ['v0001.json', 'v0001.md', 'v0002.json', 'v0002.md'].map((name) => `${folder}/${name}`),
      );
      const object = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: `${folder}/v0002.md` }));
      const text = (await object.Body?.transformToString()) ?? '';
      assert.equal(text, '# Ada <[email-1]>\n');
      assert.equal(object.ServerSideEncryption, 'AES256');
      assert.equal(object.ContentType, 'text/markdown; charset=utf-8');
      assert.equal(object.Metadata?.['sha256'], createHash('sha256').update(text).digest('hex'));
      const json = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: `${folder}/v0002.json` }));
      assert.deepEqual(JSON.parse((await json.Body?.transformToString()) ?? ''), { ...report, version: 2, markdown: text });
    }));

  test('the same report again leaves the same bytes under the same key', () =>
    withBucket(async (bucket, client, endpoint) => {
      for (let i = 0; i < 2; i++) {
        await using archive = open(endpoint, { bucket });
        await archive.write(report, STARTED);
      }
      const { Versions = [] } = await client.send(new s3.ListObjectVersionsCommand({ Bucket: bucket }));
      const tags = Map.groupBy(Versions, ({ Key }) => Key);
      assert.equal(tags.size, 2);
      for (const versions of tags.values()) assert.equal(new Set(versions.map(({ ETag }) => ETag)).size, 1);
    }));

  test('what is only to be written where it is missing leaves what is there', () =>
    withBucket(async (bucket, client, endpoint) => {
      await using archive = open(endpoint, { bucket });
      await archive.write(report, STARTED);
      await archive.write({ ...report, markdown: 'another' }, STARTED, { onlyMissing: true });
      await archive.write({ ...report, version: 2 }, STARTED, { onlyMissing: true });
      const { Versions = [] } = await client.send(new s3.ListObjectVersionsCommand({ Bucket: bucket }));
      const names = Versions.map(({ Key }) => Key?.split('/').at(-1) ?? '').toSorted();
      assert.deepEqual(names, ['v0001.json', 'v0001.md', 'v0002.json', 'v0002.md']);
      const object = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: 'reports/2025/10/08/in-1/v0001.md' }));
      assert.match((await object.Body?.transformToString()) ?? '', /Ada/);
    }));
});

withServers(['s3'], 'encryption, retention and missing buckets of the archive on a real S3 server', () => {
  test('a key of KMS is asked for by its id', () =>
    withBucket(async (bucket, client, endpoint) => {
      const kms = { encryption: 'aws:kms', kms_key_id: 'arn:aws:kms:us-east-1:123456789012:key/reports' };
      await using archive = open(endpoint, { bucket, prefix: '', ...kms });
      await archive.write(report, STARTED);
      const head = await client.send(new s3.HeadObjectCommand({ Bucket: bucket, Key: '2025/10/08/in-1/v0001.md' }));
      assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId, head.BucketKeyEnabled], ['aws:kms', kms.kms_key_id, true]);
    }));

  test('reports of days that were over by then are removed, and nothing else in the bucket', () =>
    withBucket(async (bucket, client, endpoint) => {
      await using archive = open(endpoint, { bucket });
      for (const day of ['2024-02-29', '2025-09-30', '2025-10-07', '2025-10-08']) {
        await archive.write(report, { startedAt: `${day}T12:00:00.000Z` });
      }
      for (const Key of ['reports/2024/02/29/in-1/mine.txt', 'reports/index.html', 'other/2024/01/01/in-1/v0001.md']) {
        await client.send(new s3.PutObjectCommand({ Bucket: bucket, Key, Body: 'mine' }));
      }
      assert.equal(await archive.remove(Date.UTC(2025, 9, 8, 12)), 6);
      assert.deepEqual(await keysIn(client, bucket), [
        'other/2024/01/01/in-1/v0001.md',
        'reports/2024/02/29/in-1/mine.txt',
        'reports/2025/10/08/in-1/v0001.json',
        'reports/2025/10/08/in-1/v0001.md',
        'reports/index.html',
      ]);
    }));

  test('a bucket that is not there is said to be missing', async () => {
    await using archive = open(serverAddress('s3') as string, { bucket: 'helios-that-is-not-there' });
    await assert.rejects(archive.write(report, STARTED), {
      code: 'unavailable',
      message: /cannot write s3:\/\/helios-that-is-not-there\/reports\/2025\/10\/08\/in-1\/v0001\.json: NoSuchBucket/,
    });
    await assert.rejects(archive.remove(Date.UTC(2030, 0)), { code: 'unavailable', message: /NoSuchBucket/ });
  });
});

/** An S3 service that answers as it is told to. */
async function withService(answer: RequestListener, run: (endpoint: string) => Promise<void>): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('what S3 denies or cannot do now is one error that says so, and no secret', () =>
  withService(
    (request, response) => {
      request.resume();
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>');
    },
    async (endpoint) => {
      await using archive = open(endpoint, { secret_access_key: 'very-secret' });
      await assert.rejects(archive.write(report, STARTED), (error: Error) => {
        assert.match(error.message, /AccessDenied: no/);
        assert.doesNotMatch(error.message, /very-secret/);
        return true;
      });
    },
  ));

test('a service that answers something else than S3 does is an error like any other', () =>
  withService(
    (request, response) => {
      request.resume();
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>');
    },
    async (endpoint) => {
      await using archive = open(endpoint, {});
      await assert.rejects(archive.write(report, STARTED), { code: 'unavailable' });
    },
  ));

test('a service that never answers costs the timeout and no more, and closing does not wait for it', () =>
  withService(
    () => {},
    async (endpoint) => {
      await using archive = open(endpoint, { timeout: '100ms' });
      await assert.rejects(archive.write(report, STARTED), { message: /it took longer than 100 ms/ });
      const patient = open(endpoint, { timeout: '1h' });
      const attempt = assert.rejects(patient.write(report, STARTED), { code: 'unavailable' });
      await patient[Symbol.asyncDispose]();
      await attempt;
    },
  ));

test('a service that is denied, slow and away in turn gets every report in the end', async () => {
  const stored = new Set<string>();
  let requests = 0;
  await withService(
    (request, response) => {
      requests++;
      request.resume();
      if (requests < 4) response.writeHead(403).end();
      else if (requests < 7) request.socket.destroy();
      else if (requests === 8) response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
      else if (requests !== 9)
        request.once('end', () => response.writeHead(200).end(void stored.add(request.url?.split('?')[0] as string)));
    },
    async (endpoint) => {
      // Time goes as fast as it can, so that minutes of waiting take none.
      const clock = { ...systemClock, after: (_: number, run: () => void) => systemClock.after(1, run) };
      const archive = open(endpoint, { timeout: '200ms' });
      const writer = createArchiveWriter({ archives: [archive], clock, logger: silentLogger, metrics: silentMetrics });
      for (let i = 0; i < 3; i++) await writer.write({ ...report, incidentId: `in-${i}` }, STARTED);
      for (let i = 0; i < 500 && stored.size < 6; i++) await systemClock.sleep(20);
      assert.equal(stored.size, 6);
      await writer[Symbol.asyncDispose]();
    },
  );
  assert.ok(stored.has(`/helios/${objectKey('reports', { incidentId: 'in-2', version: 1 }, STARTED.startedAt)}.md`));
});

test('what cannot be redacted is not sent', () =>
  withService(
    () => assert.fail('it was sent'),
    async (endpoint) => {
      const { s3: config } = archiveConfigSchema.parse({ s3: { endpoint, ...CREDENTIALS } });
      const failing: Redactor = {
        open: () => ({
          ...redactor.open(),
          redactDeep: () => {
            throw new Error('cannot redact');
          },
        }),
      };
      await using archive = openS3Archive({ config: { ...config, bucket: 'helios' }, redactor: failing, clock: systemClock });
      await assert.rejects(archive.write(report, STARTED), /cannot redact/);
    },
  ));
