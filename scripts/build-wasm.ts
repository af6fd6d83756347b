// Builds the WebAssembly modules from their AssemblyScript, beside it or into another folder: node scripts/build-wasm.ts [folder]
// The result is committed; test/e2e/wasm.itest.ts proves that it is what the source says.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Entry of each module; the module lies beside it as `<name>.wasm`. */
export const WASM_ENTRIES = ['src/log/embedded/line-columns.as.ts', 'src/model/simd-scanner.as.ts'];

const COMPILER = 'node_modules/assemblyscript/bin/asc.js';
const FLAGS = ['--enable', 'simd', '--runtime', 'stub', '-O3', '--converge', '--noAssert', '--use', 'abort='];
const root = path.join(import.meta.dirname, '..');

/** `src/room/name.as.ts` to `src/room/name.wasm`. */
export function modulePath(entry: string): string {
  return entry.replace(/\.as\.ts$/, '.wasm');
}

/** The same source gives the same bytes, on every machine. */
export function buildWasm(entry: string, target: string): void {
  execFileSync(process.execPath, [COMPILER, entry, '-o', target, ...FLAGS], { cwd: root, stdio: 'inherit' });
}

if (import.meta.main) {
  const folder = process.argv[2];
  for (const entry of WASM_ENTRIES) {
    const target = modulePath(entry);
    buildWasm(entry, folder === undefined ? target : path.resolve(folder, path.basename(target)));
  }
}
