import { createHash } from 'node:crypto';
import { isoTime } from '../../lib/clock.ts';
import type { Receipt, ReceiptSummary } from '../../model/spending.ts';
import { updateRecords } from '../../store/record-store.ts';
import type { RecordStore } from '../../store/record-store.ts';

/** A request as it was sent. */
export interface SentReceipt {
  /** Of its own; the same id again replaces the receipt. */
  id: string;
  incidentId: string;
  /** ISO 8601. */
  at: string;
  provider: string;
  model: string;
  promptVersion: string;
  /** The exact body. */
  sentBytes: string;
  /** Length of the answer's body. */
  receivedBytes: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number;
  outcome: string;
}

export interface Receipts {
  /** Rejects when the store does. */
  put(receipt: SentReceipt): Promise<void>;
  /** Oldest first, at most `limit`. */
  list(incidentId: string, limit?: number): Promise<ReceiptSummary[]>;
  get(id: string): Promise<Receipt | undefined>;
  /** Removes those from before a time; how many. */
  remove(beforeMs: number): Promise<number>;
}

const ITEM = 'receipt/item/';
const BY_INCIDENT = 'receipt/incident/';
const BY_TIME = 'receipt/time/';
const DEFAULT_MAX_BYTES = 256 * 1024;
const PAGE = 200;

function keysOf({ id, incidentId, at }: { id: string; incidentId: string; at: string }): string[] {
  return [`${ITEM}${id}`, `${BY_INCIDENT}${incidentId}/${at}/${id}`, `${BY_TIME}${at}/${id}`];
}

function sentPart(body: string, maxBytes: number): Pick<Receipt, 'sent' | 'encoding' | 'isCut' | 'sentSha256' | 'sentLength'> {
  const bytes = Buffer.from(body);
  const kept = bytes.subarray(0, maxBytes);
  // Not every store keeps a NUL in a text, and a cut may go through a character.
  const isText = body.isWellFormed() && !body.includes('\0') && kept.length === bytes.length;
  return {
    sent: isText ? body : kept.toString('base64'),
    encoding: isText ? 'text' : 'base64',
    isCut: kept.length < bytes.length,
    sentSha256: createHash('sha256').update(bytes).digest('hex'),
    sentLength: bytes.length,
  };
}

async function removeOne(records: RecordStore, index: string, incidentId: string): Promise<void> {
  const [at = '', ...rest] = index.slice(BY_TIME.length).split('/');
  const keys = keysOf({ at, id: rest.join('/'), incidentId });
  await updateRecords(records, keys, (values) => ({
    values: new Map([...values.keys()].map((key) => [key, undefined])),
    answer: undefined,
  }));
}

/** What was sent to language models, byte for byte, with what it has cost. */
export function createReceipts(records: RecordStore, { maxBytes = DEFAULT_MAX_BYTES }: { maxBytes?: number } = {}): Receipts {
  return {
    async put({ sentBytes, receivedBytes, ...rest }) {
      const { sentLength, ...part } = sentPart(sentBytes, maxBytes);
      const summary: ReceiptSummary = { ...rest, sentLength, receivedLength: receivedBytes };
      const receipt: Receipt = { ...summary, ...part };
      const [item = '', byIncident = '', byTime = ''] = keysOf(receipt);
      const values = new Map<string, unknown>([
        [item, receipt],
        [byIncident, summary],
        [byTime, { incidentId: receipt.incidentId }],
      ]);
      await updateRecords(records, [...values.keys()], () => ({ values, answer: undefined }));
    },
    async list(incidentId, limit = PAGE) {
      const found = await records.list({ prefix: `${BY_INCIDENT}${incidentId}/`, limit });
      return found.map(({ value }) => value as ReceiptSummary);
    },
    async get(id) {
      const [found] = await records.get([`${ITEM}${id}`]);
      return found?.value as Receipt | undefined;
    },
    async remove(beforeMs) {
      const end = `${BY_TIME}${isoTime(beforeMs)}`;
      for (let removed = 0; ;) {
        const old = (await records.list({ prefix: BY_TIME, limit: PAGE })).filter(({ key }) => key < end);
        for (const { key, value } of old) await removeOne(records, key, (value as { incidentId: string }).incidentId);
        removed += old.length;
        if (old.length < PAGE) return removed;
      }
    },
  };
}
