import { z } from 'zod';
import type { NarrativeClaim } from '../../model/report.ts';

/** What a model may say: one sentence about one service, with slots in the place of everything that is a fact. */
export type Claim = Omit<NarrativeClaim, 'text'>;

/** Sent to the provider as a JSON schema. Every property is required: some constrained decoders know no other objects. */
export const claimSchema = z.object({
  kind: z.enum(['impact', 'cause', 'action', 'context']),
  subject: z.string().describe('A service of the list, exactly as it is written there'),
  feature: z.string().nullable().describe('The measured feature that the sentence is about, else null'),
  direction: z.enum(['up', 'down']).nullable().describe('How the feature moved, else null'),
  evidence: z.array(z.string()).describe('Ids of all evidence that the sentence rests on'),
  horizon: z.enum(['immediate', 'short_term', 'long_term']).nullable().describe('For actions, else null'),
  sentence: z.string().describe('One sentence in English, with slots such as {E3.value}'),
});

export const answerSchema = z.object({ claims: z.array(claimSchema) });

const MAX_CLAIMS = 40;

/** What came back, claim by claim: one that is malformed costs itself and not the others. */
export interface Answer {
  claims: Claim[];
  malformed: number;
}

/** The JSON object in a text that may be fenced or have words around it; undefined when there is none. */
function jsonIn(text: string): unknown {
  const from = text.indexOf('{');
  const to = text.lastIndexOf('}');
  if (from < 0 || to < from) return undefined;
  try {
    return JSON.parse(text.slice(from, to + 1));
  } catch {
    return undefined;
  }
}

/** Undefined when the text holds no object with a list of claims. Claims past the 40th are not looked at. */
export function parseAnswer(text: string): Answer | undefined {
  const value = jsonIn(text) as { claims?: unknown } | undefined;
  const list = value?.claims;
  if (!Array.isArray(list)) return undefined;
  const parsed = list.slice(0, MAX_CLAIMS).map((claim) => claimSchema.safeParse(claim));
  const claims = parsed.flatMap((result) => (result.success ? [result.data] : []));
  return { claims, malformed: list.length - claims.length };
}
