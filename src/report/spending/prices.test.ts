import assert from 'node:assert/strict';
import test from 'node:test';
import { LIST_PRICES, priceFor, priceOf, UNKNOWN_PRICE } from './prices.ts';

const TOKENS = { inputTokens: 1_000_000, outputTokens: 100_000 };

test('a model has the price of its name, also under the names of its versions and of who resells it', () => {
  for (const name of ['gpt-4.1-mini', 'gpt-4.1-mini-2025-04-14', 'openai/gpt-4.1-mini']) {
    assert.equal(priceFor(name, []).model, 'gpt-4.1-mini', name);
  }
  for (const name of ['claude-sonnet-4-20250514', 'us.anthropic.claude-sonnet-4-20250514-v1:0', 'claude-sonnet-4@20250514']) {
    assert.equal(priceFor(name, []).model, 'claude-sonnet-4', name);
  }
  assert.equal(priceFor('eu.amazon.nova-lite-v1:0', []).model, 'amazon.nova-lite');
  assert.equal(priceFor('claude-sonnet-4-5-20250929', []).model, 'claude-sonnet-4-5');
  assert.equal(priceOf('gpt-4.1-mini', TOKENS, []), 0.56);
});

test('the configuration comes before the list, and its * is for those that neither names', () => {
  const own = { model: 'gpt-4.1-mini', input: 1, output: 2 };
  const rest = { model: '*', input: 0, output: 0 };
  assert.equal(priceOf('gpt-4.1-mini-2025-04-14', TOKENS, [own]), 1.2);
  assert.equal(priceOf('llama3.2:3b', TOKENS, [own, rest]), 0);
  assert.equal(priceFor('gpt-4o', [own, rest]).input, 2.5);
});

test('an unknown model costs as much as the dearest of the list, so that caps hold', () => {
  for (const { input, output } of LIST_PRICES) assert.ok(input <= UNKNOWN_PRICE.input && output <= UNKNOWN_PRICE.output);
  assert.equal(priceFor('gpt-9-ultra', []), UNKNOWN_PRICE);
  assert.equal(priceFor('gpt-4.1-nano-banana', []), UNKNOWN_PRICE);
});

test('costs are rounded up to a millionth of a dollar', () => {
  assert.equal(priceOf('gpt-4.1-nano', { inputTokens: 1, outputTokens: 0 }, []), 0.000001);
  assert.equal(priceOf('gpt-4.1-nano', { inputTokens: 10, outputTokens: 0 }, []), 0.000001);
  assert.equal(priceOf('gpt-4.1-nano', { inputTokens: 0, outputTokens: 0 }, []), 0);
});
