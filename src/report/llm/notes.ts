import type { Refusal } from './asking.ts';

/** What came of a narrative; a label of a metric. */
export type Outcome = 'written' | 'all_dropped' | 'unparsable' | 'not_redacted' | 'error' | Refusal['kind'];

const ALONE = 'so this report has the facts alone';
/** One plain sentence for the reader of a report without a narrative. */
export const NOTES: Record<Exclude<Outcome, 'written' | 'capped'>, string> = {
  all_dropped: `Nothing that the language model wrote was carried by the evidence, ${ALONE}.`,
  unparsable: `The language model answered, but not in the form asked for, ${ALONE}.`,
  not_redacted: `The evidence could not be cleared of personal data and secrets, so nothing was sent to the language model, ${ALONE}.`,
  error: `The narrative failed inside HELIOS, ${ALONE}.`,
  timeout: `The language model did not answer in time, ${ALONE}.`,
  rate_limited: `The provider of the language model takes no more requests now, ${ALONE}.`,
  unavailable: `The provider of the language model cannot be reached or fails, ${ALONE}.`,
  rejected: `The provider refused the request (key, model or settings), ${ALONE}.`,
  unreadable: `The provider did not answer in the form of its interface, ${ALONE}.`,
  too_large: `The answer of the language model was too long, ${ALONE}.`,
  refused: `The language model declined to answer, ${ALONE}.`,
  empty: `The language model answered nothing, ${ALONE}.`,
  circuit_open: `The provider of the language model failed several times in a row and is left alone for a while, ${ALONE}.`,
};

export function noteOf(refusal: Refusal): string {
  return refusal.kind === 'capped' ? refusal.sentence : NOTES[refusal.kind];
}
