import type { HeliosError } from '../../lib/errors.ts';
import type { Verdict } from '../handler.ts';
import type { HttpAnswer } from '../http-exchange.ts';
import type { RemoteWriteLines, RemoteWriteVersion } from './decode.ts';

/** What of a request was stored, as version 2 wants to be told. */
export interface RemoteWriteVerdict extends Verdict {
  written: Pick<RemoteWriteLines, 'samples' | 'histograms' | 'exemplars'>;
}

/** Reasons that an answer spells out; senders log it in one line. */
const LISTED_REASONS = 5;
const TEXT_TYPE = ['Content-Type', 'text/plain; charset=utf-8'];

function reasonsOf({ accepted, rejectedCount, rejections }: Verdict): string {
  const listed = rejections.slice(0, LISTED_REASONS).map(({ index, field, reason }) => `sample ${index}: ${field} ${reason}`);
  if (rejectedCount > listed.length) listed.push(`${rejectedCount - listed.length} more`);
  return `${rejectedCount} of ${accepted + rejectedCount} samples rejected, the others are stored: ${listed.join('; ')}\n`;
}

/**
 * 204, or 400 when anything was left out although the rest is stored (Remote-Write 2.0, "Partial Write"): senders do not send
 * it again, and log why.
 */
export function verdictAnswer(verdict: RemoteWriteVerdict, version: RemoteWriteVersion): HttpAnswer {
  const { samples, histograms, exemplars } = verdict.written;
  const counts = { Samples: samples, Histograms: histograms, Exemplars: exemplars };
  const written =
    version === 1
      ? []
      : Object.entries(counts).flatMap(([name, count]) => [`X-Prometheus-Remote-Write-${name}-Written`, String(count)]);
  if (verdict.rejectedCount === 0) return { status: 204, headers: written, body: '' };
  return { status: 400, headers: [...TEXT_TYPE, ...written], body: reasonsOf(verdict) };
}

export function problemAnswer(error: HeliosError): HttpAnswer {
  return { status: error.status, headers: TEXT_TYPE, body: `${error.message}\n` };
}
