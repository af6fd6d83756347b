/** What language models were asked for, as the API shows it. */
export interface Usage {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
}

/** Spent and set aside against one cap; `limitUsd` null: no cap. */
export interface CapStatus {
  limitUsd: number | null;
  spentUsd: number;
  reservedUsd: number;
}

export interface CostReport {
  /** Days in UTC, both included. */
  from: string;
  to: string;
  /** `key` is a day such as 2025-10-08, or the id of a service, the dearest first. */
  items: (Usage & { key: string })[];
  total: Usage;
  /** Of today and this month, in UTC. */
  caps: { day: CapStatus; month: CapStatus };
}

/** One request to a language model, without its bytes. */
export interface ReceiptSummary {
  id: string;
  incidentId: string;
  at: string;
  provider: string;
  model: string;
  promptVersion: string;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
  /** "answered", or why nothing came of it. */
  outcome: string;
  sentLength: number;
  receivedLength: number;
}

export interface Receipt extends ReceiptSummary {
  /** The exact body, or its beginning where `isCut`. */
  sent: string;
  /** How `sent` is written: base64 where the body is no well-formed text. */
  encoding: 'text' | 'base64';
  isCut: boolean;
  /** Of the whole body, hexadecimal. */
  sentSha256: string;
}

export interface CostQuery {
  /** The days that hold these times, in UTC; absent: the 30 days up to today. */
  fromMs?: number;
  toMs?: number;
  by: 'service' | 'day';
}

/** What language models were sent, and what it has cost. */
export interface SpendingReader {
  /** `invalid_argument` for a range that is empty or longer than 400 days. */
  costs(query: CostQuery): Promise<CostReport>;
  /** Of one incident, oldest first. */
  receipts(incidentId: string): Promise<ReceiptSummary[]>;
  receipt(id: string): Promise<Receipt | undefined>;
}
