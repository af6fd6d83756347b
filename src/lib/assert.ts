/** Stops the process on a bug: an invariant of our own code that does not hold. Never used to judge input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
