import type { CostReport, Receipt, SpendingReader } from '../model/spending.ts';
import type { Calls } from './simulation.fixture.ts';

const usage = { calls: 2, inputTokens: 1800, outputTokens: 160, costUsd: 0.000976 };

export const sampleCosts: CostReport = {
  from: '2025-09-09',
  to: '2025-10-08',
  items: [{ key: 'cart', ...usage }],
  total: usage,
  caps: {
    day: { limitUsd: 5, spentUsd: 0.000976, reservedUsd: 0 },
    month: { limitUsd: null, spentUsd: 0.000976, reservedUsd: 0.01 },
  },
};

export const sampleReceipt: Receipt = {
  id: '2025-10-08T10:30:00.000Z-0a1b2c3d',
  incidentId: 'inc-1',
  at: '2025-10-08T10:30:00.000Z',
  provider: 'openai',
  model: 'gpt-4.1-mini',
  promptVersion: 'p1',
  inputTokens: 900,
  outputTokens: 80,
  costUsd: 0.000488,
  outcome: 'answered',
  sentLength: 2,
  receivedLength: 512,
  sent: '{}',
  encoding: 'text',
  isCut: false,
  sentSha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
};

/** Answers the samples, and notes the questions. */
export function stubSpending(calls: Calls): SpendingReader {
  const { sent: _, encoding: __, isCut: ___, sentSha256: ____, ...summary } = sampleReceipt;
  return {
    costs(query) {
      calls.push(['costs', query]);
      return Promise.resolve(sampleCosts);
    },
    receipts: (incidentId) => Promise.resolve(incidentId === summary.incidentId ? [summary] : []),
    receipt: (id) => Promise.resolve(id === summary.id ? sampleReceipt : undefined),
  };
}
