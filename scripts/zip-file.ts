import { crc32, deflateRawSync } from 'node:zlib';

/** The first moment that an archive can name: the same files make the same archive. */
const DOS_DATE = 0x21;
const REGULAR_FILE = 0o100644;
const UNIX = 3;
const VERSION = 20;
const UTF8_NAMES = 0x800;
const DEFLATE = 8;

/** Fields of 2 and 4 bytes, little-endian. */
function fields(...values: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    values.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      if (bytes === 2) field.writeUInt16LE(value);
      else field.writeUInt32LE(value);
      return field;
    }),
  );
}

/** A ZIP archive of regular files (APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16), by name in the order given. */
export function zipOf(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, bytes] of files) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(bytes, { level: 9 });
    const common = fields(
      [2, VERSION],
      [2, UTF8_NAMES],
      [2, DEFLATE],
      [2, 0],
      [2, DOS_DATE],
      [4, crc32(bytes)],
      [4, packed.length],
      [4, bytes.length],
      [2, name.length],
      [2, 0],
    );
    const local = Buffer.concat([fields([4, 0x04034b50]), common, name, packed]);
    const madeBy = fields([4, 0x02014b50], [2, (UNIX << 8) | VERSION]);
    const place = fields([2, 0], [2, 0], [2, 0], [4, (REGULAR_FILE << 16) >>> 0], [4, offset]);
    bodies.push(local);
    directory.push(Buffer.concat([madeBy, common, place, name]));
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, files.size], [2, files.size], [4, entries.length], [4, offset], [2, 0]);
  return Buffer.concat([...bodies, entries, end]);
}
