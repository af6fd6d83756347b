/** Snappy's block format (google/snappy, format_description.txt), written plainly: elements, and a greedy compressor of them. */
const MAX_MATCH = 64;
const MIN_MATCH = 4;

export function preamble(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...preamble(Math.floor(length / 128))];
}

function littleEndian(value: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) & 255);
}

/** A literal element; `width` forces that many length bytes behind the tag, 0 the shortest form. */
export function literal(bytes: Uint8Array, width = 0): Buffer {
  const last = bytes.length - 1;
  if (width === 0 && last < 60) return Buffer.from([last << 2, ...bytes]);
  const shortest = [256, 65_536, 16_777_216, 2 ** 32].findIndex((limit) => last < limit) + 1;
  const used = Math.max(width, shortest);
  return Buffer.concat([Buffer.from([(59 + used) << 2, ...littleEndian(last, used)]), bytes]);
}

/** A copy element of kind 1 (4 to 11 bytes, offset below 2048), 2 (offset below 65536) or 3. */
export function copy(kind: 1 | 2 | 3, offset: number, length: number): Buffer {
  if (kind === 1) return Buffer.from([1 | ((length - 4) << 2) | ((offset >> 8) << 5), offset & 255]);
  return Buffer.from([kind | ((length - 1) << 2), ...littleEndian(offset, kind === 2 ? 2 : 4)]);
}

export function compressSnappy(bytes: Uint8Array): Buffer {
  const parts: Buffer[] = [Buffer.from(preamble(bytes.length))];
  const source = Buffer.from(bytes);
  const lastSeen = new Map<number, number>();
  let literalFrom = 0;
  let at = 0;
  const flush = (): void => {
    if (at > literalFrom) parts.push(literal(source.subarray(literalFrom, at)));
  };
  while (at + MIN_MATCH <= source.length) {
    const word = source.readUInt32LE(at);
    const from = lastSeen.get(word);
    lastSeen.set(word, at);
    if (from === undefined) {
      at++;
      continue;
    }
    flush();
    let length = MIN_MATCH;
    while (length < MAX_MATCH && at + length < source.length && source[from + length] === source[at + length]) length++;
    parts.push(copy(at - from < 65_536 ? 2 : 3, at - from, length));
    at += length;
    literalFrom = at;
  }
  at = source.length;
  flush();
  return Buffer.concat(parts);
}
