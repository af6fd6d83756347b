/** FNV-1a with a second lane and a final mix: 64 bits as 16 hex digits, the same on every machine. */
export function hashId(prefix: string, ...parts: (string | number)[]): string {
  const text = parts.join('\u0000');
  let a = 0x811c9dc5;
  let b = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995) + a;
  }
  const mix = (value: number): string => {
    let h = value;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0).toString(16).padStart(8, '0');
  };
  return `${prefix}-${mix(a)}${mix(b ^ a)}`;
}
