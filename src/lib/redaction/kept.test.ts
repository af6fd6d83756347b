import assert from 'node:assert/strict';
import test from 'node:test';
import { redactionConfigSchema } from './config.ts';
import { createRedactor } from './redactor.ts';

const redactor = createRedactor(redactionConfigSchema.parse({}));

/** Lines as services write them, without anything in them that has to be kept secret. */
const HARMLESS: readonly string[] = [
  'trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 request_id=req_a8Xk2Lm9Qp',
  '{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"1234567812345678","parentSpanId":null}',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'request 550e8400-e29b-41d4-a716-446655440000 took 5000 ms (p95 80 ms, 62.5x)',
  'X-Request-Id: 01ARZ3NDEKTSV4RRFFQ69G5FAV x-correlation-id=5500000000000004',
  '2025-10-08T10:30:45.123456789Z ERROR payment-service Database connection timeout after 5000ms',
  '[08/Oct/2025:10:30:45 +0000] "GET /api/v1/tokens/refresh HTTP/1.1" 200 5316 "-" "Mozilla/5.0 (X11) Chrome/120.0.1.2"',
  'deploy payment version 1.2.3.4 (was v1.2.3.3), image shop/payment@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c1',
  'version=10.0.19041.1 build: 7.1.2.9 app-1.2.3.4.jar loaded',
  'commit 8f14e45fceea167a5a36dedd4bea2543aa5bb2c1 etag="33a64df551425fcc55e4d42a148795d9f25f89d4"',
  'pod payment-7f9c4d5b6d-xkqzv on node ip-less in eu-west-1a, container 3f4e5d6c7b8a',
  'E1 and E42 carry it; ano-5f2c9d inc-20251008-7 chg-1',
  'Unexpected token: } in JSON at position 42',
  'Unexpected token < in JSON; unrecognized token: STRING',
  'Invalid token: expired; password: incorrect; authorization: denied',
  'password is required and must be at least 12 characters',
  'token expired, session closed, secret not found, key missing',
  'MountVolume.SetUp failed for volume "certs": secret "payment-tls" not found',
  'input_tokens=512 output_tokens=128 max_tokens: 4096 token_count=640',
  'primary_key=10042 partition_key=7 cache_key=user:10042 idempotency_key=ord-77',
  'Duplicate entry 10042 for key PRIMARY; sort_key=created_at',
  'POST /v1/sessions/token:refresh 401 in 12ms',
  'GET /reset-password?step=2 200; GET /oauth/token 400; PUT /api/keys/7',
  'secretName: payment-tls passwordPolicy: strict tokenType: bearer keyId: 7',
  'std::string core::panic abc::Def 10:30:45 12:34 1:2:3 00:1b:44:11:3a:b7',
  'listening on 127.0.0.1:8080 and [::1]:8080 and 0.0.0.0:4317',
  'amount=+12345678 offset +1000000 delta=-555 ratio=+1.5e+10 at 1696761045123 (epoch ns 1696761045123456789)',
  'order 4111111111111112 invoice 1234567890123456 sku 0049301234567',
  'bearer authentication is disabled; basic auth; Basic Authentication required',
  'tests pass=120 fail=3 skip=0; bypass=true; compass: north',
  'icon@2x.png not found; git@github.com:org/repo.git; lodash@4.17.21.tgz; Cart@1a2b3c; user@host',
  'https://shop.example.com:8443/a/b?x=1#top http://cart/items/@me https://host:80/@user/x',
  'password=${DB_PASSWORD} token=$TOKEN secret={{ vault.key }} api_key=<redacted> pwd=****',
  'password=null token="" secret=undefined apiKey: true',
  'cancellation_token=abc next_page_token=def fencing token: 33',
  'code=ECONNREFUSED errno=-111 syscall=connect signal=SIGKILL signature=sha256',
  'Sicherung l\u00e4uft \u65e5\u672c\u8a9e 100% done, 50%25 &amp; more \\n C:\\Users\\temp\\new',
  'password is base64 encoded, was sha256, is 12 characters long, reset by user',
  'send the key as `Authorization: Bearer` or as X-API-Key',
  '| service | p95 |\n|---|---|\n| cart | 80 ms |',
  'risk-assessment disk-usage-service-v2 task-runner-service-name-long-name ask-me',
];

test('ids, versions, times, names, paths and messages about secrets are left as they are', () => {
  for (const line of HARMLESS) assert.equal(redactor.open().redact(line), line);
  for (const line of HARMLESS) assert.deepEqual(redactor.open().redactDeep({ line }), { line });
});

test('a text that was redacted keeps its secrets out when it is redacted again', () => {
  const once = redactor.open().redact('password=hunter2 token: abc Authorization: Bearer x.y');
  assert.equal(redactor.open().redact(once), once);
});

test('words that the caller knows to be none stay, secrets do not', () => {
  const session = redactor.open({ keep: ['10.2.0.1', 'pay@eu.example', 'hunter2'] });
  assert.equal(
    session.redact('pay@eu.example 10.2.0.1 10.2.0.2 password=hunter2'),
    'pay@eu.example 10.2.0.1 [ip-1] password=[secret:password]',
  );
});
