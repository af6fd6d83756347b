/** What a server may not answer, whatever it was sent: a failure of its own. 503 asks for patience, 505 is about the version. */
const ALLOWED_5XX = new Set([501, 503, 505]);
/** UNKNOWN, INTERNAL and DATA_LOSS. */
const BAD_GRPC = new Set([2, 13, 15]);
const MAX_FAILURES = 20;
const SHOWN_BYTES = 400;

export interface FuzzFailure {
  answer: string;
  /** Kind and number, which with the seed give the input again. */
  input: string;
  /** The start of its bytes, as Latin-1. */
  bytes: string;
}

/** Answers by kind of input, and those that must not be. */
export class FuzzTally {
  readonly answers = new Map<string, number>();
  readonly failures: FuzzFailure[] = [];
  inputs = 0;

  http(status: number, body: string, input: string, bytes: Buffer): void {
    this.#count(`HTTP ${status}`);
    if (status >= 500 && !ALLOWED_5XX.has(status)) this.#fail(`${status} ${body}`, input, bytes);
  }

  grpc(code: number, message: string, input: string, bytes: Buffer): void {
    this.#count(`gRPC ${code}`);
    if (BAD_GRPC.has(code)) this.#fail(`gRPC ${code} ${message}`, input, bytes);
  }

  /** The connection or the stream ended without one. */
  noAnswer(kind: string): void {
    this.#count(`${kind} without an answer`);
  }

  #count(answer: string): void {
    this.inputs++;
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }

  #fail(answer: string, input: string, bytes: Buffer): void {
    if (this.failures.length < MAX_FAILURES) {
      this.failures.push({ answer, input, bytes: bytes.toString('latin1', 0, SHOWN_BYTES) });
    }
  }
}
