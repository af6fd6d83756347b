/** What main.ts hands to every command. */
export interface CommandContext {
  version: string;
  /** Aborted by the first SIGINT or SIGTERM. A command that does not listen to it is ended there and then. */
  signal: AbortSignal;
  /** Writes a line to standard output. */
  print: (line: string) => void;
  /** Writes a line to standard error. */
  warn: (line: string) => void;
}
