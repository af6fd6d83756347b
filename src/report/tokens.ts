const PIECES = /\p{L}+|\p{Nd}+|\s+|["{}[\],:]+|[^\p{L}\p{Nd}\s]/gu;
const WORD = /^[\p{L}\p{Nd}]/u;
const encoder = new TextEncoder();

/**
 * Tokens of a text, estimated from above for the byte-pair tokenizers in use: a word is one for every three letters, a number one for
 * every three digits; two of the marks that JSON is made of are one, any other mark is one, so is a line break or indentation;
 * what is not ASCII is one for every two bytes.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(PIECES)) {
    if (piece === ' ') continue;
    const bytes = encoder.encode(piece).length;
    if (bytes > piece.length) tokens += Math.ceil(bytes / 2);
    else if (piece.trim() === '') tokens += 1;
    else tokens += Math.ceil(piece.length / (WORD.test(piece) ? 3 : 2));
  }
  return tokens;
}
