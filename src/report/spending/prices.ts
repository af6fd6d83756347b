import type { ModelPrice } from './config.ts';

/**
 * List prices of well-known models in USD for a million tokens, as published in 2025. Providers change them: check your provider's
 * price list, and put what differs into `report.prices`.
 */
export const LIST_PRICES: readonly ModelPrice[] = [
  { model: 'gpt-5', input: 1.25, output: 10 },
  { model: 'gpt-5-mini', input: 0.25, output: 2 },
  { model: 'gpt-5-nano', input: 0.05, output: 0.4 },
  { model: 'gpt-4.1', input: 2, output: 8 },
  { model: 'gpt-4.1-mini', input: 0.4, output: 1.6 },
  { model: 'gpt-4.1-nano', input: 0.1, output: 0.4 },
  { model: 'gpt-4o', input: 2.5, output: 10 },
  { model: 'gpt-4o-mini', input: 0.15, output: 0.6 },
  { model: 'gpt-4-turbo', input: 10, output: 30 },
  { model: 'gpt-4', input: 30, output: 60 },
  { model: 'o3', input: 2, output: 8 },
  { model: 'o4-mini', input: 1.1, output: 4.4 },
  { model: 'claude-opus-4-1', input: 15, output: 75 },
  { model: 'claude-opus-4', input: 15, output: 75 },
  { model: 'claude-sonnet-4-5', input: 3, output: 15 },
  { model: 'claude-sonnet-4', input: 3, output: 15 },
  { model: 'claude-haiku-4-5', input: 1, output: 5 },
  { model: 'claude-3-5-haiku', input: 0.8, output: 4 },
  { model: 'amazon.nova-pro', input: 0.8, output: 3.2 },
  { model: 'amazon.nova-lite', input: 0.06, output: 0.24 },
  { model: 'amazon.nova-micro', input: 0.035, output: 0.14 },
];

/** Of a model that nobody has named a price of: the dearest of the list, so that a cap is reached too early and never passed. */
export const UNKNOWN_PRICE: ModelPrice = { model: '*', input: 30, output: 75 };

/** What follows the name of a model in that of one of its versions: "-2025-04-14", "-v1:0", "@20250514", "-latest". */
const VERSION = /^(?:$|[-@:](?:\d|v\d|latest|preview))/;
/** Bedrock puts the region's profile and the maker before the name. */
const MAKER = /^(?:(?:us|eu|apac|global|jp|au|us-gov)\.)?(?:anthropic\.|openai\.|openai\/|anthropic\/)?/;

function priceIn(prices: readonly ModelPrice[], model: string): ModelPrice | undefined {
  const names = [model, model.replace(MAKER, ''), model.replace(/^(?:us|eu|apac|global)\./, '')];
  const fits = prices.filter((price) =>
    names.some((name) => name.startsWith(price.model) && VERSION.test(name.slice(price.model.length))),
  );
  return fits.toSorted((a, b) => b.model.length - a.model.length)[0];
}

/** The price of a model: as configured, from the list, as configured for `*`, or that of an unknown one. */
export function priceFor(model: string, prices: readonly ModelPrice[]): ModelPrice {
  const others = prices.find((price) => price.model === '*');
  return priceIn(prices, model) ?? priceIn(LIST_PRICES, model) ?? others ?? UNKNOWN_PRICE;
}

/** USD of so many tokens, rounded up to a millionth. */
export function priceOf(
  model: string,
  { inputTokens, outputTokens }: { inputTokens: number; outputTokens: number },
  prices: readonly ModelPrice[],
): number {
  const { input, output } = priceFor(model, prices);
  // A price for a million tokens is the price of one token in millionths of a dollar.
  return Math.ceil(Number((inputTokens * input + outputTokens * output).toFixed(3))) / 1e6;
}
