import assert from 'node:assert/strict';
import test from 'node:test';
import { redactionConfigSchema } from './config.ts';
import { createRedactor } from './redactor.ts';

const redactor = createRedactor(redactionConfigSchema.parse({ secret_keys: ['door-code', 'db.phrase'] }));
const redact = (text: string): string => redactor.open().redact(text);
const PEM_BODY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7';
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';

test('in a list of names and values, a value belongs to its name', () => {
  const value = {
    env: [
      { name: 'DB_PASSWORD', value: 'correct-horse' },
      { name: 'REGION', value: 'eu-west-1' },
    ],
    attributes: [{ key: 'api_key', value: { stringValue: 'correct-horse' } }],
    headers: [
      ['cookie', 'a=b123456'],
      ['accept', 'text/html'],
    ],
    tags: ['password', 'login', 'reset'],
  };
  const redacted = redactor.open().redactDeep(value);
  assert.ok(!/correct-horse|b123456/.test(JSON.stringify(redacted)), JSON.stringify(redacted));
  assert.deepEqual([redacted.env[1], redacted.headers[1], redacted.tags], [value.env[1], value.headers[1], value.tags]);
});

const KNOWN_SHAPES: readonly string[] = [
  'AKIAIOSFODNN7EXAMPLE',
  'ASIAY34FZKBOKMUTVV7A',
  `ghp_${'a1B2'.repeat(9)}`,
  `github_pat_${'A1b2c3D4e5_'.repeat(4)}`,
  'glpat-x9Yz8Wv7Ut6Sr5Qp4On3',
  `xoxb-123456789012-aBcDeFgHiJkLmNoP`,
  `sk_live_4eC39HqLyjWDarjtT1`,
  `sk-proj-${'a1B2c3D4'.repeat(5)}`,
  `sk-ant-api03-${'a1B2c3D4'.repeat(5)}`,
  `sk-${'T3BlbkFJa1B2c3D4'.repeat(3)}`,
  `AIza${'SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q'.padEnd(35, 'x')}`,
  `SG.a1B2c3D4e5F6g7H8.i9J0k1L2m3N4o5P6q7R8`,
  `npm_${'a1B2c3'.repeat(6)}`,
  `hvs.CAESIJ1a2B3c4D5e6F7g8H9`,
  `glsa_${'a1B2c3D4'.repeat(4)}_a1b2c3d4`,
  `https://hooks.slack.com/services/T000/B000/aBcDeFgH1234`,
  'ABIAIOSFODNN7EXAMPLE',
  ...['gho', 'ghu', 'ghs', 'ghr'].map((prefix) => `${prefix}_${'a1B2'.repeat(9)}`),
  `xapp-1-${'A0B1C2D3'.repeat(3)}`,
  `https://shop.webhook.office.com/webhookb2/${'a1b2c3d4'.repeat(4)}`,
  `https://discord.com/api/webhooks/123456789012345678/${'aB1-'.repeat(15)}`,
  `whsec_${'a1B2c3D4'.repeat(4)}`,
  `ya29.${'a0Af_B-c1'.repeat(5)}`,
  `GOCSPX-${'a1B2c3D4'.repeat(3)}`,
  `SK${'0a1b2c3d'.repeat(4)}`,
  `key-${'0a1b2c3d'.repeat(4)}`,
  `pypi-AgEIcHlwaS5vcmc${'a1B2c3D4'.repeat(6)}`,
  `dop_v1_${'0a1b2c3d'.repeat(8)}`,
  `hf_${'aBcDeFgHiJ'.repeat(4)}`,
  `shpat_${'0a1b2c3d'.repeat(4)}`,
  `dapi${'0a1b2c3d'.repeat(4)}`,
  `lin_api_${'a1B2c3D4'.repeat(5)}`,
  `ATATT3xFfGF0${'a1B2c3D4'.repeat(5)}`,
  `NRAK-${'A0B1C2D3E'.repeat(3)}`,
  `AGE-SECRET-KEY-1${'QPZRY9X8GF'.repeat(5)}QPZRY9X8`,
  `123456789:AA${'a1B2c3D4-_x'.repeat(3)}`,
  `sq0atp-${'a1B2c3D4e5F6'.repeat(2)}`,
  `PMAK-${'0a1b2c3d'.repeat(3)}-${'0a1b2c3d'.repeat(4)}0a`,
  JWT,
];

test('keys that are known by their look are removed wherever they stand', () => {
  for (const key of KNOWN_SHAPES) {
    const core = key.replace(/^https:\/\//, '');
    for (const text of [key, `using ${key}, then`, `"${key}"`, `x=${key};y`, `(${key})`, `[${key}]`, `path/${key}/x`]) {
      assert.ok(!redact(text).includes(core), redact(text));
    }
  }
});

const CASES: readonly (readonly [text: string, redacted: string])[] = [
  ['password=hunter2 user=bob', 'password=[secret:password] user=bob'],
  ['password: hunter2, attempts: 3', 'password: [secret:password], attempts: 3'],
  ['{"dbPassword":"hun\\"ter,2","port":5432}', '{"dbPassword":"[secret:password]","port":5432}'],
  ["{'api_key': 'abc def', 'n': 1}", "{'api_key': '[secret:key]', 'n': 1}"],
  ['API-KEY => "x1"', 'API-KEY => "[secret:key]"'],
  ['spring.datasource.password=p4ss&word', 'spring.datasource.password=[secret:password]'],
  ['GET /login?user=bob&token=abc123&next=%2Fhome 302', 'GET /login?user=bob&token=[secret:token]&next=%2Fhome 302'],
  ['Server=db;User Id=sa;Password=s3cr3t;Encrypt=true', 'Server=db;User Id=sa;Password=[secret:password];Encrypt=true'],
  [
    'DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=YWJjZGVmZ2hpag==;x=1',
    'DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=[secret:key];x=1',
  ],
  ['postgres://app:s3cr3t@db:5432/shop', 'postgres://app:[secret:url]@db:5432/shop'],
  ['redis://:p@ss@cache.example.com/0', 'redis://:[secret:url]@cache.example.com/0'],
  ['mongodb+srv://app:pa/ss@db.example.com/x', 'mongodb+srv://app:[secret:url]@db.example.com/x'],
  ['amqp://guest:guest@mq:5672/%2F', 'amqp://guest:[secret:url]@mq:5672/%2F'],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer [secret:authorization]'],
  ['Authorization: Basic YWRtaW46cGFzcw==', 'Authorization: Basic [secret:token]'],
  ['"authorization":"Digest username=\\"bob\\""', '"authorization":"[secret:authorization]"'],
  ['sent bearer c0ffee12-token', 'sent bearer [secret:token]'],
  ['Cookie: session=abc; theme=dark', 'Cookie: [secret:cookie]'],
  ['X-Amz-Signature=9f8e7d6c5b4a39281706f5e4d3c2b1a0', 'X-Amz-Signature=[secret:key]'],
  ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_access_key = [secret:key]'],
  ['<password>x1y2</password>', '<password>[secret:password]</password>'],
  ['{"name":"DB_PASSWORD","value":"x1y2z3"}', '{"name":"DB_PASSWORD","value":"[secret:password]"}'],
  ['mysql --password hunter2 -h db', 'mysql --password [secret:password] -h db'],
  ['the token is 9f8e7d6c5b4a39281706', 'the token is [secret:token]'],
  ['api key 9f8e7d6c5b4a39281706 refused', 'api key [secret:key] refused'],
  ['key=9f8e7d6c5b4a39281706', 'key=[secret:key]'],
  ['passwords: ["a1","b2"]', 'passwords: [[secret:password]]'],
  [`-----BEGIN RSA PRIVATE KEY-----\n${PEM_BODY}\n-----END RSA PRIVATE KEY----- end`, '[secret:pem] end'],
  [`-----BEGIN EC PRIVATE KEY-----\\n${PEM_BODY}\\nabc1 was cut`, '[secret:pem] was cut'],
  ['curl -u user:pass1 http://shop', 'curl -u user:[secret:password] http://shop'],
  [
    'sshpass -p pass1 ssh db; mysqldump -u root -ppass1 shop',
    'sshpass -p [secret:password] ssh db; mysqldump -u root -p[secret:password] shop',
  ],
  ['PGPASSWORD=x1 psql', 'PGPASSWORD=[secret:password] psql'],
  ['the password is hunter2, wrong password hunter3', 'the password is [secret:password], wrong password [secret:password]'],
  ['["password"]=> string(7) "hunter2"', '["password"]=> string(7) "[secret:password]"'],
  ['auth_token: Some("abc")', 'auth_token: Some("[secret:token]")'],
  ['password_hash=$2b$12$abc SECRET_KEY_BASE=abcd1', 'password_hash=[secret:password] SECRET_KEY_BASE=[secret:key]'],
  ['{"Key":"db.secret","Value":"x9"}', '{"Key":"db.secret","Value":"[secret:secret]"}'],
  ['credentials=(user, pw1)', 'credentials=([secret:secret])'],
  ['https://abcdef0123456789abcdef0123456789@errors.example.com/1', 'https://[secret:url]@errors.example.com/1'],
  ['door-code=1234 ok', 'door-code=[secret:secret] ok'],
  ['app.db.phrase: open', 'app.db.phrase: [secret:secret]'],
  ['{"password":"never clos', '{"password":"[secret:password]'],
];

test('secrets are removed by the name beside them, and the rest of the line stays', () => {
  for (const [text, redacted] of CASES) assert.equal(redact(text), redacted);
});

test('what hides a secret does not keep it: escapes, encodings, invisible and look-alike characters', () => {
  const secret = 'hunter2hunter2';
  for (const text of [
    JSON.stringify({ m: JSON.stringify({ m: JSON.stringify({ password: secret }) }) }),
    `p%61ssword%3D${secret}`,
    `p%2561ssword%253D${secret}`,
    `"p\\u0061ssword":"${secret}"`,
    `&quot;password&quot;:&quot;${secret}&quot;`,
    `p\u200bassw\u00adord=${secret}`,
    `p\u0430ssw\u043erd=${secret}`,
    `\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44=${secret}`,
    `password\u001b[0m=\u001b[31m${secret}\u001b[0m`,
    `pass\u0000word=${secret}`,
    `password = \u201c${secret}\u201d`,
  ]) {
    assert.ok(!redact(text).includes(secret), redact(text));
  }
  assert.ok(!redact('key AK\u200bIAIOSFODNN7\\u0045XAMPLE').includes('XAMPLE'));
});

test('a secret is removed for ever: not even its own session restores it', () => {
  const session = redactor.open();
  const out = session.redact('password=hunter2 of jane@example.com');
  assert.equal(session.restore(out), 'password=[secret:password] of jane@example.com');
});

test('certificates and other blocks between markers are removed too, and a far end is none of theirs', () => {
  assert.equal(redact(`-----BEGIN CERTIFICATE-----\n${PEM_BODY}\n-----END CERTIFICATE-----`), '[secret:pem]');
  const far = `-----BEGIN PRIVATE KEY-----\n${PEM_BODY}\n${'calm words, '.repeat(4000)}-----END PRIVATE KEY-----`;
  assert.ok(redact(far).startsWith('[secret:pem]'));
  assert.ok(redact(far).includes('words, calm words'));
});
