import { globSync, readFileSync, statSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const lines = read('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Paths that .dockerignore lets through, and patterns of what inside them it holds back. */
export const ALLOWED = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
const HELD_BACK = lines.filter((line) => !line.startsWith('!') && line !== '*');

/** What the Dockerfile copies out of the repository. */
export const COPIED = [
  ...new Set([...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => (match[1] as string).split(' '))),
];

/** Files of the image besides node_modules, by their paths from the root of the repository. */
export function imageFiles(): string[] {
  const paths = COPIED.filter((path) => ALLOWED.includes(path)).flatMap((path) =>
    statSync(join(root, path)).isFile() ? [path] : globSync(`${path}/**/*`, { cwd: root }),
  );
  return paths.filter((path) => statSync(join(root, path)).isFile() && !HELD_BACK.some((glob) => matchesGlob(path, glob)));
}

/** Folders below node_modules that `npm ci --omit=dev` installs, those of other platforms left out. */
export function productionPackages(): string[] {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  return Object.entries(packages).flatMap(([path, { dev = false, optional = false }]) => {
    if (path === '' || dev || (optional && !statSync(join(root, path), { throwIfNoEntry: false }))) return [];
    return [path];
  });
}
