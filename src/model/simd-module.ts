// oxlint-disable-next-line no-restricted-imports -- the scanner's own code, read once a thread; no data comes this way
import { readFileSync } from 'node:fs';

/** What simd-scanner.as.ts exports; addresses and lengths in bytes of its memory. */
export interface SimdExports {
  readonly memory: WebAssembly.Memory;
  readonly WINDOW: WebAssembly.Global;
  readonly WINDOW_BYTES: WebAssembly.Global;
  readonly COLUMNS: WebAssembly.Global;
  nextWord(list: number): number;
  addWord(list: number, length: number, code: number): void;
  setCapacity(rows: number): void;
  setLimits(latestMs: number, earliestMs: number, isRestricted: number): void;
  setWindow(start: number, length: number): void;
  readLines(at: number, end: number, isLast: number, firstRow: number): number;
  readElements(at: number, firstRow: number): number;
  rowCount(): number;
}

/** What simd-imports.as.ts asks for. */
export interface SimdImports extends Record<string, (...values: number[]) => number> {
  decimal: (at: number, length: number) => number;
  intern: (table: number, at: number, length: number) => number;
  allows: (entity: number, at: number, length: number) => number;
}

let compiled: WebAssembly.Module | null | undefined;

/** The module, compiled once a thread; null where WebAssembly has no SIMD. */
function compile(): WebAssembly.Module | null {
  const bytes = readFileSync(new URL('./simd-scanner.wasm', import.meta.url));
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
}

/** Whether this machine can run the module. */
export function hasSimd(): boolean {
  if (compiled === undefined) compiled = compile();
  return compiled !== null;
}

/** A new instance with a memory of its own. `hasSimd` must have been true. */
export function instantiateSimd(imports: SimdImports): SimdExports {
  if (compiled === undefined) compiled = compile();
  return new WebAssembly.Instance(compiled as WebAssembly.Module, { env: imports }).exports as unknown as SimdExports;
}
