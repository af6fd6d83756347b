import assert from 'node:assert/strict';
import test from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { badDeployment } from '../scenario.fixture.ts';
import { written } from './generated-incident.fixture.ts';
import { faultsOf } from './narrative.oracle.ts';
import { createNarrator } from './narrator.ts';
import { surroundings } from './narrator.fixture.ts';
import { promptOf } from './prompt.ts';
import { truthfulClaims } from './scripted-model.fixture.ts';
import type { Telemetry } from './model-server.fixture.ts';

const given = await written(badDeployment());
const telemetry = JSON.parse(promptOf(given.pack).user.split('\n')[1] ?? '') as Telemetry;
const answer = JSON.stringify({ claims: truthfulClaims(telemetry, 1) });

/** Somebody else's idea of each provider's interface. */
const WIRES = [
  { provider: 'openai', path: '/v1', key: { openai_api_key: 'test' }, model: 'gpt-4.1-mini' },
  { provider: 'openai-compatible', path: '/v1', key: { openai_api_key: 'test' }, model: 'gpt-4.1-mini' },
  { provider: 'anthropic', path: '/v1', key: { anthropic_api_key: 'test' }, model: 'claude-haiku-4-5' },
  {
    provider: 'amazon-bedrock',
    path: '',
    key: { bedrock_api_key: 'test', aws_region: 'eu-west-1' },
    model: 'anthropic.claude-haiku-4-5-20251001-v1:0',
  },
] as const;

for (const { provider, path, key, model } of WIRES) {
  test(`a narrative comes over the wire of ${provider}, with what it has cost`, async () => {
    const mock = new LLMock({ port: 0 });
    mock.onMessage(/telemetry/, { content: answer });
    await mock.start();
    try {
      const around = surroundings({ provider, model, base_url: `${mock.url}${path}`, ...key });
      const { report, note, usage } = await createNarrator(around).narrate(given);
      assert.equal(note, null);
      assert.ok(report);
      assert.deepEqual(faultsOf(report, given), []);
      assert.ok(usage && usage.inputTokens > 0 && usage.outputTokens > 0);
      const [receipt] = await around.receipts.list('in-1');
      assert.equal(receipt?.provider, provider);
      const sent = await around.receipts.get(receipt?.id ?? '');
      assert.match(sent?.sent ?? '', /telemetry/);
      assert.ok(!sent?.sent.includes('"test"'));
      assert.match(sent?.sent ?? '', /"temperature":0\.3/);
      // Nothing is to be kept by a provider that keeps answers unless it is asked not to.
      if (provider === 'openai') assert.match(sent?.sent ?? '', /"store":false/);
    } finally {
      await mock.stop();
    }
  });
}
