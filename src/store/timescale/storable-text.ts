/**
 * PostgreSQL keeps neither U+0000 nor half a surrogate pair, in text or jsonb: each is stored as U+FFFD, the replacement character, so
 * that such an event is stored at all. Everything else is stored as it came.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(storableValue);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storableText(key), storableValue(inner)]));
}

/** JSON text that jsonb takes. Numbers past the range of a double are null, as in any JSON that this program writes. */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value);
  // Without an escape of this kind there is neither of the two.
  return text.includes(String.raw`\u`) ? JSON.stringify(storableValue(JSON.parse(text))) : text;
}
