/** Longest text, in UTF-16 units, and most members of a list or mapping; one after the other until all of it fits. */
const STEPS = [
  [20_000, 2000],
  [5000, 500],
  [2000, 200],
  [500, 100],
  [200, 30],
  [80, 10],
  [40, 3],
] as const;

export function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The size of data whose texts are cut to the second of the steps: what one text of any length cannot fill. */
export function sizeOfTextsCut(value: unknown): number {
  return sizeOf(cut(value, STEPS[1][0], Infinity));
}

function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length).toWellFormed()}…`;
}

function cut(value: unknown, length: number, members: number): unknown {
  if (typeof value === 'string') return cutText(value, length);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, members).map((item) => cut(item, length, members));
  const entries = Object.entries(value).slice(0, members);
  return Object.fromEntries(entries.map(([key, inner]) => [cutText(key, length), cut(inner, length, members)]));
}

/** JSON data whose lists end early, as little as needed to fit in `maxBytes` once long texts are cut too; every text is whole. */
export function shortLists<T extends object>(data: T, maxBytes: number): { data: T; isCut: boolean } {
  let shorter = data;
  for (const [, members] of STEPS) {
    if (sizeOfTextsCut(shorter) <= maxBytes) break;
    shorter = cut(data, Infinity, members) as T;
  }
  return { data: shorter, isCut: shorter !== data };
}

/** JSON data within `maxBytes`: long texts end in an ellipsis, and long lists early, as little as needed of each. */
export function boundedData<T extends object>(data: T, maxBytes: number): { data: T; isCut: boolean } {
  if (sizeOf(data) <= maxBytes) return { data, isCut: false };
  for (const [length, members] of STEPS) {
    const shorter = cut(data, length, members) as T;
    if (sizeOf(shorter) <= maxBytes) return { data: shorter, isCut: true };
  }
  return { data: {} as T, isCut: true };
}
