import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { badDeployment } from '../scenario.fixture.ts';
import { written } from './generated-incident.fixture.ts';
import { answerJson, startModelServer } from './model-server.fixture.ts';
import type { Script } from './model-server.fixture.ts';
import { faultsOf } from './narrative.oracle.ts';
import { createNarrator } from './narrator.ts';
import { surroundings } from './narrator.fixture.ts';
import { truthfulClaims } from './scripted-model.fixture.ts';

// Loaded with the first request otherwise, and part of its time.
await Promise.all([import('ai'), import('@ai-sdk/openai-compatible')]);
const given = await written(badDeployment());
const ONE_RETRY = { timeout: '20s', deadline: '40s', retries: 1 };
const truthful: Script = ({ telemetry }) => ({ text: JSON.stringify({ claims: truthfulClaims(telemetry, 1) }) });

function chat(message: Record<string, unknown>, finish = 'stop'): string {
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }];
  return JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices });
}

const HUGE = chat({ content: 'a'.repeat(50 * 2 ** 20) });
const PACKED = gzipSync(HUGE);

/** A case of a bad day: what the provider does, what the report says of it, and how often it is asked. */
const BAD_DAYS: Record<string, { script: Script; note: RegExp; requests: number; timeout?: string }> = {
  hangs: { script: () => () => {}, note: /did not answer in time/, requests: 2, timeout: '1s' },
  'answers 500': { script: () => (response) => answerJson(response, '{}', 500), note: /cannot be reached or fails/, requests: 2 },
  'stops in the middle': {
    script: () => (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":"x",');
    },
    note: /did not answer in time/,
    requests: 2,
    timeout: '1s',
  },
  'closes the connection': { script: () => (response) => response.destroy(), note: /cannot be reached or fails/, requests: 2 },
  'is out of quota for longer than anyone waits': {
    script: () => (response) => answerJson(response, '{"error":{"message":"slow down"}}', 429, { 'retry-after': '60' }),
    note: /takes no more requests now/,
    requests: 1,
  },
  'refuses the key': {
    script: () => (response) => answerJson(response, '{"error":{"message":"bad key"}}', 401),
    note: /refused the request \(key, model or settings\)/,
    requests: 1,
  },
  'sends a page of HTML': {
    script: () => (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><h1>Welcome</h1>'),
    note: /form of its interface/,
    requests: 1,
  },
  'sends nothing': { script: () => (response) => answerJson(response, ''), note: /form of its interface/, requests: 1 },
  'sends JSON cut in two': {
    script: () => (response) => answerJson(response, chat({ content: '{}' }).slice(0, 60)),
    note: /form of its interface/,
    requests: 1,
  },
  'sends other JSON': {
    script: () => (response) => answerJson(response, '{"hello":"world"}'),
    note: /form of its interface/,
    requests: 1,
  },
  'sends 50 MB': {
    script: () => (response) => answerJson(response, HUGE),
    note: /too long/,
    requests: 1,
  },
  'sends a small body that unpacks to 50 MB': {
    script: () => (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(PACKED);
    },
    note: /too long/,
    requests: 1,
  },
  'sends elsewhere': {
    script: () => (response) => response.writeHead(307, { location: 'http://127.0.0.1:9/v1/chat/completions' }).end(),
    note: /cannot be reached or fails/,
    requests: 2,
  },
  'refuses to answer': {
    script: () => (response) => answerJson(response, chat({ content: null, refusal: 'I cannot help with that.' })),
    note: /declined/,
    requests: 1,
  },
  'says nothing': { script: () => ({ text: '' }), note: /answered nothing/, requests: 1 },
  talks: {
    script: () => ({ text: 'I am sorry, the logs look terrible today.' }),
    note: /not in the form asked for/,
    requests: 2,
  },
  'answers cut off': {
    script: () => ({ text: '{"claims":[{"kind":"impact","subj' }),
    note: /not in the form asked for/,
    requests: 2,
  },
  'answers in another form': {
    script: () => ({ text: '{"summary":"all is well"}' }),
    note: /not in the form asked for/,
    requests: 2,
  },
  'answers in another language': {
    script: ({ telemetry }) => ({
      text: JSON.stringify({
        claims: truthfulClaims(telemetry, 1).map((claim) => ({ ...claim, sentence: '{subject} ist ausgefallen.' })),
      }),
    }),
    note: /Nothing that the language model wrote was carried/,
    requests: 2,
  },
  'has nothing to say': { script: () => ({ text: '{"claims":[]}' }), note: /Nothing that the language model wrote/, requests: 1 },
};

for (const [name, { script, note, requests, timeout = '20s' }] of Object.entries(BAD_DAYS)) {
  test(`a provider that ${name} costs a sentence, not the report`, async () => {
    await using server = await startModelServer(script);
    const around = surroundings({ base_url: server.url, ...ONE_RETRY, timeout });
    const narration = await createNarrator(around).narrate(given);
    assert.equal(narration.report, null);
    assert.match(narration.note ?? '', note);
    assert.equal(server.requests.length, requests);
    const receipts = await around.receipts.list(given.report.incidentId);
    assert.equal(receipts.length, requests);
    const first = await around.receipts.get(receipts[0]?.id ?? '');
    assert.equal(first?.sent, server.requests[0]?.body);
  });
}

test('a provider that is not there costs a sentence', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const around = surroundings({ base_url: `http://127.0.0.1:${port}/v1`, ...ONE_RETRY });
  const { report, note } = await createNarrator(around).narrate(given);
  assert.equal(report, null);
  assert.match(note ?? '', /cannot be reached/);
});

test('a request that failed is repeated after the wait that the provider asks for', async () => {
  await using server = await startModelServer((request) =>
    request.count === 1 ? (response) => answerJson(response, '{}', 429, { 'retry-after-ms': '20' }) : truthful(request),
  );
  const around = surroundings({ base_url: server.url, retries: 2 });
  const { report, usage } = await createNarrator(around).narrate(given);
  assert.ok(report);
  assert.deepEqual(faultsOf(report, given), []);
  assert.equal(server.requests[0]?.body, server.requests[1]?.body);
  const [failed, answered] = await around.receipts.list(given.report.incidentId);
  assert.deepEqual([failed?.outcome, failed?.costUsd], ['rate_limited', 0]);
  assert.deepEqual([answered?.outcome, answered?.costUsd, answered?.inputTokens], ['answered', 0.00072, 1000]);
  assert.deepEqual([usage?.costUsd, usage?.inputTokens, usage?.outputTokens, usage?.model], [0.00072, 1000, 200, 'scripted']);
  assert.equal(usage?.receiptId, answered?.id);
  assert.equal(report.costUsd, given.report.costUsd + 0.00072);
});

test('an answer of which nothing stays is repaired once, and both are paid', async () => {
  await using server = await startModelServer((request) =>
    request.count === 1 ? { text: '{"claims": [7]}' } : truthful(request),
  );
  const around = surroundings({ base_url: server.url });
  const { report, usage, dropped } = await createNarrator(around).narrate(given);
  assert.ok(report);
  assert.deepEqual(dropped, { malformed: 1 });
  assert.match(server.requests[1]?.body ?? '', /dropped, for: malformed \(1\)/);
  assert.equal(usage?.costUsd, 0.00144);
  assert.equal(around.counted.get('helios_narrative_total written'), 1);
  assert.equal(around.counted.get('helios_narrative_claims_total malformed'), 1);
});

test('after failures in a row nobody asks for a while, and then one request tries whether it is well again', async () => {
  let isWell = false;
  await using server = await startModelServer((request) =>
    isWell ? truthful(request) : (response) => answerJson(response, '{}', 500),
  );
  const around = surroundings({ base_url: server.url, retries: 0, breaker_failures: 3, breaker_pause: '200ms' });
  const narrator = createNarrator(around);
  for (let i = 0; i < 3; i++) assert.match((await narrator.narrate(given)).note ?? '', /cannot be reached or fails/);
  const { note, usage } = await narrator.narrate(given);
  assert.match(note ?? '', /failed several times in a row and is left alone for a while/);
  assert.equal(usage, null);
  assert.equal(server.requests.length, 3);
  isWell = true;
  await around.clock.sleep(250);
  assert.ok((await narrator.narrate(given)).report);
});

test('past a cap nothing is sent and the report says which', async () => {
  await using server = await startModelServer(truthful);
  const around = surroundings({ base_url: server.url }, { per_incident: 0.01 });
  const narrator = createNarrator(around);
  assert.ok((await narrator.narrate(given)).report);
  const { report, note } = await createNarrator({ ...around, price: () => 0.02 }).narrate(given);
  assert.equal(report, null);
  assert.match(note ?? '', /No language model was asked: of the 0\.01 USD for this incident/);
  assert.equal(server.requests.length, 1);
});

test('evidence that cannot be redacted is not sent', async () => {
  await using server = await startModelServer(truthful);
  const redactor = {
    open: () => ({
      redactDeep: () => {
        throw new Error('no');
      },
    }),
  };
  const { report, note } = await createNarrator({ ...surroundings({ base_url: server.url }), redactor }).narrate(given);
  assert.equal(report, null);
  assert.match(note ?? '', /could not be cleared/);
  assert.equal(server.requests.length, 0);
});

test('without a model nothing happens, and the status says why', async () => {
  const narrator = createNarrator(surroundings({}));
  assert.deepEqual(narrator.status, { configured: false, reason: 'no provider and no API key is configured' });
  assert.deepEqual(await narrator.narrate(given), { report: null, note: null, usage: null, dropped: {} });
});

test('the request is bounded, cool and schema-constrained, and holds no personal data', async () => {
  await using server = await startModelServer(truthful);
  const found = badDeployment({ title: 'payment fails for jane.doe@example.com from 192.0.2.7' });
  const narrated = await createNarrator(surroundings({ base_url: server.url, openai_api_key: 'sk-test' })).narrate(
    await written(found),
  );
  assert.ok(narrated.report);
  const [request] = server.requests;
  const body = JSON.parse(request?.body ?? '') as Record<string, unknown>;
  assert.deepEqual([body['temperature'], body['max_tokens'], body['model']], [0.3, 2000, 'scripted']);
  assert.match(JSON.stringify(body['response_format']), /"type":"json_schema".*"additionalProperties":false/);
  assert.ok(!request?.body.includes('jane.doe') && !request?.body.includes('192.0.2.7') && !request?.body.includes('sk-test'));
  assert.match(request?.body ?? '', /payment fails for \[email-1\] from \[ip-1\]/);
});

test('twenty incidents at once spend what their requests cost, and never more than the cap', async () => {
  await using server = await startModelServer(truthful);
  const cap = 0.03;
  const around = surroundings({ base_url: server.url }, { per_day: cap });
  const narrator = createNarrator(around);
  const ids = Array.from({ length: 20 }, (_, i) => `in-${i}`);
  const narrations = await Promise.all(
    ids.map((incidentId) => narrator.narrate({ ...given, report: { ...given.report, incidentId } })),
  );
  const spent = narrations.reduce((sum, { usage }) => sum + (usage?.costUsd ?? 0), 0);
  assert.ok(server.requests.length > 0 && server.requests.length < 20);
  assert.ok(Math.abs(spent - server.requests.length * 0.00072) < 1e-9 && spent <= cap);
  const refused = narrations.filter(({ note }) => note?.startsWith('No language model was asked: of the 0.03 USD for this day'));
  assert.equal(refused.length, 20 - server.requests.length);
});

test('a provider that claims to have used more than was sent is not believed', async () => {
  const usage = { prompt_tokens: 1e12, completion_tokens: 1e12, total_tokens: 2e12 };
  await using server = await startModelServer(
    () => (response) =>
      answerJson(response, JSON.stringify({ ...(JSON.parse(chat({ content: '{"claims":[]}' })) as object), usage })),
  );
  const narration = await createNarrator(surroundings({ base_url: server.url })).narrate(given);
  assert.ok(narration.usage && narration.usage.costUsd < 0.1, JSON.stringify(narration.usage));
});
