import { hash32 } from './random-field.ts';

/** Placeholders: a number, a hexadecimal id, a duration, and names given at rendering. */
const PLACEHOLDERS = ['n', 'id', 'ms', 'peer', 'path', 'version'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

/** A message with placeholders, split once. Texts hold nothing that JSON would escape. */
export interface MessageTemplate {
  parts: readonly (string | { placeholder: Placeholder })[];
}

export interface MessageValues {
  ms: number;
  peer: string;
  path: string;
  version: string;
  /** 32 bits that numbers and ids in the text follow from. */
  seed: number;
}

/** Compiles "lock on row {n} held by {id}"; an unknown placeholder is an error. */
export function messageTemplate(text: string): MessageTemplate {
  const parts = text.split(/(\{\w+\})/).map((part) => {
    if (!part.startsWith('{')) return part;
    const placeholder = PLACEHOLDERS.find((name) => name === part.slice(1, -1));
    if (placeholder === undefined) throw new Error(`unknown placeholder ${part} in "${text}"`);
    return { placeholder };
  });
  return { parts };
}

export function renderMessage({ parts }: MessageTemplate, values: MessageValues): string {
  let text = '';
  let drawn = 0;
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else if (part.placeholder === 'n') text += hash32(values.seed, ++drawn) % 100_000;
    else if (part.placeholder === 'id') text += hash32(values.seed, ++drawn).toString(16).padStart(8, '0');
    else if (part.placeholder === 'ms') text += Math.round(values.ms);
    else text += values[part.placeholder];
  }
  return text;
}
