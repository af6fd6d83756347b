import fs from 'node:fs';
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HeliosError } from '../../lib/errors.ts';
import type { Damage } from '../event-log.ts';
import { BLOCK_HEADER_BYTES, blockInfoAt, type BlockInfo } from './block.ts';

/**
 * A sealed segment: 8 bytes "HELIOSSG", u32 format version, u32 zero; blocks; the footer (zstd of JSON); a trailer of
 * u32 footer length, u32 footer CRC, 8 bytes "HELIOSFT". The footer is an index only: every block describes itself.
 */
export const SEALED_HEADER_BYTES = 16;
const TRAILER_BYTES = 16;
const VERSION = 1;
const MAGIC = Buffer.from('HELIOSSG');
const FOOTER_MAGIC = Buffer.from('HELIOSFT');
const MAX_FOOTER_BYTES = 256 * 1024 * 1024;

export interface SealedIndex {
  blocks: BlockInfo[];
  /** First offset after the segment, and number of events in the log up to there. */
  nextOffset: number;
  nextEvent: number;
  damages: Damage[];
}

/** JSON form of the footer: `names` holds every entity once, blocks refer to them by index. */
interface Footer {
  names: string[];
  blocks: (Omit<BlockInfo, 'entities'> & { entities: number[] | null })[];
}

export function sealedHeader(): Buffer {
  const header = Buffer.alloc(SEALED_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, 8);
  return header;
}

/** Footer and trailer. */
export function sealedFooter(blocks: readonly BlockInfo[]): Buffer {
  const ids = new Map<string, number>();
  const idOf = (name: string): number => {
    const id = ids.get(name) ?? ids.size;
    ids.set(name, id);
    return id;
  };
  const listed = blocks.map((block) => ({
    ...block,
    entities: block.entities === null ? null : [...block.entities].toSorted().map(idOf),
  }));
  const footer: Footer = { names: [...ids.keys()], blocks: listed };
  const bytes = zstdCompressSync(Buffer.from(JSON.stringify(footer)));
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(bytes.length, 0);
  trailer.writeUInt32LE(crc32(bytes), 4);
  FOOTER_MAGIC.copy(trailer, 8);
  return Buffer.concat([bytes, trailer]);
}

/** Equal sets of names are kept once, whatever number of blocks they belong to. */
const MAX_SHARED_SETS = 10_000;
const sharedSets = new Map<string, ReadonlySet<string>>();

function sharedSet(names: readonly string[]): ReadonlySet<string> {
  const key = JSON.stringify(names);
  const known = sharedSets.get(key);
  if (known) return known;
  const made = new Set(names);
  if (sharedSets.size < MAX_SHARED_SETS) sharedSets.set(key, made);
  return made;
}

/** Reads the footer, or walks the blocks when it is damaged. Throws `corrupt_data` on a newer format. */
export function readSealedIndex(fd: number, file: string): SealedIndex {
  const header = Buffer.alloc(SEALED_HEADER_BYTES);
  fs.readSync(fd, header, 0, header.length, 0);
  const version = header.readUInt32LE(8);
  if (header.subarray(0, 8).equals(MAGIC) && version !== VERSION) {
    throw new HeliosError('corrupt_data', `cannot read ${file}: it has sealed format ${version}, this program knows ${VERSION}`);
  }
  const footer = readFooter(fd);
  if (!footer) return walkBlocks(fd, file);
  const blocks = footer.blocks.map((block) => ({
    ...block,
    entities: block.entities === null ? null : sharedSet(block.entities.map((id) => footer.names[id] as string)),
  }));
  return indexOf(blocks, []);
}

function indexOf(blocks: BlockInfo[], damages: Damage[]): SealedIndex {
  const last = blocks.at(-1);
  return { blocks, nextOffset: last?.nextOffset ?? 0, nextEvent: last ? last.firstEvent + last.count : 0, damages };
}

function readFooter(fd: number): Footer | null {
  const { size } = fs.fstatSync(fd);
  if (size < SEALED_HEADER_BYTES + TRAILER_BYTES) return null;
  const trailer = Buffer.alloc(TRAILER_BYTES);
  fs.readSync(fd, trailer, 0, TRAILER_BYTES, size - TRAILER_BYTES);
  const length = trailer.readUInt32LE(0);
  if (!trailer.subarray(8).equals(FOOTER_MAGIC) || length > size - SEALED_HEADER_BYTES - TRAILER_BYTES) return null;
  const bytes = Buffer.alloc(length);
  fs.readSync(fd, bytes, 0, length, size - TRAILER_BYTES - length);
  if (crc32(bytes) !== trailer.readUInt32LE(4)) return null;
  return JSON.parse(zstdDecompressSync(bytes, { maxOutputLength: MAX_FOOTER_BYTES }).toString('utf8')) as Footer;
}

/** Finds blocks by their headers; what lies between valid ones, and a last one cut short, is damage. */
function walkBlocks(fd: number, file: string): SealedIndex {
  const bytes = Buffer.alloc(fs.fstatSync(fd).size);
  fs.readSync(fd, bytes, 0, bytes.length, 0);
  const blocks: BlockInfo[] = [];
  const damages: Damage[] = [];
  let end = SEALED_HEADER_BYTES;
  for (let at = SEALED_HEADER_BYTES; at + BLOCK_HEADER_BYTES <= bytes.length;) {
    const found = bytes[at] === 0xff ? blockInfoAt(bytes, at, at) : null;
    if (!found || at + found.size > bytes.length) {
      const next = bytes.indexOf(0xff, at + 1);
      if (next < 0) break;
      at = next;
      continue;
    }
    if (at > end) damages.push({ file, fromByte: end, toByte: at, reason: 'no valid block' });
    blocks.push(found);
    at += found.size;
    end = at;
  }
  const reason = 'the index at the end is damaged; blocks before it are read by their own headers';
  damages.push({ file, fromByte: end, toByte: bytes.length, reason });
  return indexOf(blocks, damages);
}
