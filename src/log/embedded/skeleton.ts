import type { ByteReader, ByteWriter } from './byte-stream.ts';

/** The literal parts of lines of one shape; value i stands between parts i and i + 1. */
export class Skeleton {
  readonly parts: readonly Buffer[];
  /** All parts in one buffer, and where each ends. */
  readonly literal: Buffer;
  readonly partEnds: Uint32Array;
  /** Number of lines of this shape in the block. */
  lines = 0;

  constructor(parts: readonly Buffer[]) {
    this.parts = parts;
    this.literal = Buffer.concat(parts);
    this.partEnds = new Uint32Array(parts.length);
    let end = 0;
    for (const [i, part] of parts.entries()) this.partEnds[i] = end += part.length;
  }

  get values(): number {
    return this.parts.length - 1;
  }
}

export function writeSkeletons(out: ByteWriter, skeletons: readonly Skeleton[]): void {
  out.varint(skeletons.length);
  for (const skeleton of skeletons) {
    out.varint(skeleton.lines);
    out.varint(skeleton.parts.length);
    for (const part of skeleton.parts) {
      out.varint(part.length);
      out.bytes(part);
    }
  }
}

export function readSkeletons(source: ByteReader): Skeleton[] {
  return Array.from({ length: source.varint() }, () => {
    const lines = source.varint();
    const skeleton = new Skeleton(Array.from({ length: source.varint() }, () => source.bytes(source.varint())));
    skeleton.lines = lines;
    return skeleton;
  });
}
