import { build } from 'esbuild';
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { zipOf } from './zip-file.ts';

const root = path.join(import.meta.dirname, '..');
const ENTRY = new URL('../src/roles/lambda/entry.ts', import.meta.url);
const MIGRATIONS = 'src/store/timescale/migrations';
/** Optional parts of packages that HELIOS does not use, and that are not installed. */
const ABSENT = ['pg-native', 'pg-cloudflare'];

export interface LambdaBundle {
  /** Folder with index.mjs and what it reads at run time. */
  folder: string;
  /** The archive of the folder that is deployed. */
  zip: string;
  bytes: number;
  zipBytes: number;
  /** Source files of this repository in the bundle. */
  sources: string[];
}

/** Bundles the reporter as a function: one module without packages beside it, and the steps of the schema that it checks for. */
export async function buildLambda(out: string): Promise<LambdaBundle> {
  const folder = path.join(out, 'lambda');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, 'migrations'), { recursive: true });
  const { metafile } = await build({
    entryPoints: [fileURLToPath(ENTRY)],
    outfile: path.join(folder, 'index.mjs'),
    absWorkingDir: root,
    bundle: true,
    minify: true,
    keepNames: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ABSENT,
    legalComments: 'none',
    logLevel: 'warning',
    // Packages that are CommonJS ask for modules of Node.js by require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  for (const file of globSync('*.sql', { cwd: path.join(root, MIGRATIONS) }))
    copyFileSync(path.join(root, MIGRATIONS, file), path.join(folder, 'migrations', file));
  const names = globSync('**/*.*', { cwd: folder }).toSorted();
  const archive = zipOf(new Map(names.map((name) => [name, readFileSync(path.join(folder, name))])));
  const zip = path.join(out, 'lambda.zip');
  writeFileSync(zip, archive);
  const bytes = names.reduce((sum, name) => sum + readFileSync(path.join(folder, name)).length, 0);
  return { folder, zip, bytes, zipBytes: archive.length, sources: Object.keys(metafile.inputs) };
}
