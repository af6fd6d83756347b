import type { EventBatch } from '../../model/event-batch.ts';
import { cutText, decodeText } from '../message-text.ts';
import { maskMessage } from '../template-mask.ts';
import type { SpanNames } from './span-names.ts';

/** A template is told by its beginning: what follows are values, of which some are words that no mask can know. */
const TEMPLATE_WORDS = 8;
const MAX_JUDGED_BYTES = 256;

/** The beginning of a message's template. */
export function templateHead(message: string): string {
  return maskMessage(message.toWellFormed()).split(/\s+/, TEMPLATE_WORDS).join(' ');
}

/** Number of the template of row `i` in `templates`, or 0 when the row has no message, or one that only repeats `endpoint`. */
export function templateNumber(batch: EventBatch, i: number, endpoint: string, templates: SpanNames): number {
  const start = batch.messageStart[i] as number;
  const whole = batch.messageEnd[i] as number;
  const end = cutText(batch.bytes, start, whole, MAX_JUDGED_BYTES);
  if (end === start) return 0;
  const text = decodeText(batch.bytes, start, end);
  if (text === endpoint) return 0;
  return templates.numberOf(templateHead(end < whole ? text.replace(/\s\S*$/, '') : text));
}
