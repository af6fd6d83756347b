/** Writes and reads unsigned integers as bits, most significant first; Exp-Golomb codes (ITU-T H.264, section 9.1) of order k. */
export class BitWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #pending = 0;
  #pendingBits = 0;

  reset(): void {
    this.#length = 0;
    this.#pending = 0;
    this.#pendingBits = 0;
  }

  /** `width` is 0..32. */
  write(value: number, width: number): void {
    if (width > 16) {
      this.write(value >>> 16, width - 16);
      this.write(value & 0xffff, 16);
      return;
    }
    this.#pending = (this.#pending << width) | value;
    this.#pendingBits += width;
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8;
      this.#push((this.#pending >>> this.#pendingBits) & 0xff);
    }
    this.#pending &= (1 << this.#pendingBits) - 1;
  }

  /** `value + 2^order` is below 2^32. */
  writeExpGolomb(value: number, order: number): void {
    const shifted = value + (1 << order);
    const width = 32 - Math.clz32(shifted);
    this.write(0, width - 1 - order);
    this.write(shifted, width);
  }

  /** What was written, padded with zero bits to a byte; valid until the next write. */
  finish(): Uint8Array {
    if (this.#pendingBits > 0) this.write(0, 8 - this.#pendingBits);
    return this.#bytes.subarray(0, this.#length);
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = byte;
  }
}

export class BitReader {
  /** Ends in zeros, so that a look ahead past the end reads zeros. */
  #bytes = new Uint8Array(4096);
  #position = 0;

  load(bytes: Uint8Array): void {
    if (bytes.length + 8 > this.#bytes.length) this.#bytes = new Uint8Array(bytes.length * 2 + 8);
    this.#bytes.set(bytes);
    this.#bytes.fill(0, bytes.length, bytes.length + 8);
    this.#position = 0;
  }

  /** `width` is 1..32. */
  read(width: number): number {
    const value = this.#peek() >>> (32 - width);
    this.#position += width;
    return value;
  }

  readExpGolomb(order: number): number {
    const zeros = Math.clz32(this.#peek());
    this.#position += zeros;
    return this.read(Math.min(32, zeros + 1 + order)) - (1 << order);
  }

  #peek(): number {
    const bytes = this.#bytes;
    const at = Math.min(this.#position >>> 3, bytes.length - 5);
    const shift = this.#position & 7;
    const word =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
    return shift === 0 ? word >>> 0 : ((word << shift) | ((bytes[at + 4] as number) >>> (8 - shift))) >>> 0;
  }
}
