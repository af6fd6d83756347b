import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import test from 'node:test';

const MAX_LINES = 400;
const MAX_MEDIAN_LINES = 120;
const MAX_FUNCTION_LINES = 70;
const SELF = 'test/tidy.test.ts';
const TEST_GLOBS = [
  'src/**/*.test.ts',
  'test/*.test.ts',
  'bench/*.test.ts',
  'src/**/*.itest.ts',
  'test/e2e/*.itest.ts',
  'test/sim/*.itest.ts',
  'test/infrastructure/*.itest.ts',
  'test/infrastructure/*.test.ts',
  'test/clients/*.itest.ts',
];

/** Folders of what logs and stores are kept in, entered through the interface above them. */
const ENGINES = ['src/log/embedded', 'src/log/kafka', 'src/store/embedded', 'src/store/timescale'];
const CLIENTS = [
  ['@platformatic/kafka', 'src/log/kafka/'],
  ['pg', 'src/store/timescale/'],
  ['pg-copy-streams', 'src/store/timescale/'],
  ['ai', 'src/report/llm/'],
  ['@ai-sdk/openai', 'src/report/llm/'],
  ['@ai-sdk/openai-compatible', 'src/report/llm/'],
  ['@ai-sdk/anthropic', 'src/report/llm/'],
  ['@ai-sdk/amazon-bedrock', 'src/report/llm/'],
  ['cockatiel', 'src/report/llm/'],
  ['@aws-sdk/client-s3', 'src/report/archive/'],
  ['@slack/web-api', 'src/report/notify/'],
  ['nodemailer', 'src/report/notify/'],
] as const;

/** What is not written here, and what to write instead. */
const BANNED: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/(?<!node:)\b[a-z]*utils?\b/i, 'name a thing by what it does'],
  [/\bhelpers?\b/i, 'name a thing by what it does'],
  [/\b(?!alertmanager)\w*manager\b/i, 'name a thing by what it does'],
  [/\bfoo\b/i, 'an example with a meaning'],
  [/\b(simply|obviously|basically|trivially)\b/i, 'leave the word out'],
  [/\b(utili[sz]e[sd]?|leverag(e[sd]?|ing))\b/i, 'use'],
  [/\bin order to\b/i, 'to'],
  [/\b(seamless(ly)?|cutting-edge|blazing(ly)?|state-of-the-art|world-class)\b/i, 'a measurement'],
  [/\bwhitelist\w*\b/i, 'allow list'],
  [/\bblacklist\w*\b/i, 'deny list'],
  [/\b(TODO|FIXME|XXX|HACK)\b/, 'an issue, or the work itself'],
  [/\p{Extended_Pictographic}/u, 'words'],
  [/^\s*(\/\/|\/?\*|#)\s*[-=*#_]{4,}/, 'no banners'],
  [/(?<![\w.~}*])\/(work|root|home|Users)\/\w/, 'a path relative to the repository'],
  [/registry\.npm|artifactory|\bnexus\b|verdaccio/i, 'no registry host'],
];

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const code = globSync('{src,test,bench,scripts}/**/*.{ts,mjs}', { cwd: root }).toSorted();
const texts = new Map(code.map((path) => [path, read(path)]));
const rootFiles = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
const prose = [...rootFiles.map((entry) => entry.name), ...globSync(['docs/*.md', 'bin/*', '.ci/*'], { cwd: root })];

/** Tests, and what only tests are made of. */
const isTest = (path: string): boolean => /\.(test|itest|contract)\.ts$|[-.](fixture|oracle)\.ts$/.test(path);

function lineCount(text: string): number {
  return text.split('\n').length - 1;
}

/** AssemblyScript leaves the extension out; a module is made of the source beside it. */
function sourceOf(target: string): string {
  return target.replace(/\.(as|wasm)$/, '.as.ts');
}

/** Files that a file imports, or starts as a thread, process or WebAssembly module by URL. */
function importsOf(path: string): string[] {
  const targets = [...(texts.get(path) ?? '').matchAll(/(?:from|import|import\(|new URL\()\s*'(\.[^']+\.(?:ts|mjs|as|wasm))'/g)];
  return targets.map((match) => join(dirname(path), sourceOf(match[1] as string)));
}

test('no file is longer than 400 lines, and half of them are shorter than 120', () => {
  const counts = [...texts].map(([path, text]) => [path, lineCount(text)] as const);
  assert.deepEqual(
    counts.filter(([, count]) => count > MAX_LINES),
    [],
  );
  const sorted = counts.map(([, count]) => count).toSorted((a, b) => a - b);
  assert.ok((sorted[sorted.length >> 1] ?? 0) <= MAX_MEDIAN_LINES);
});

test('the length of functions is a lint rule, and it is on', () => {
  const rule = /"max-lines-per-function": \[\s*"error",\s*\{\s*"max": (\d+)/.exec(read('.oxlintrc.json'));
  assert.equal(Number(rule?.[1]), MAX_FUNCTION_LINES);
});

test('banned words do not occur', () => {
  const found: string[] = [];
  for (const path of [...code, ...prose]) {
    if (path === SELF || path === 'package-lock.json') continue;
    for (const [index, line] of read(path).split('\n').entries()) {
      for (const [pattern, instead] of BANNED) {
        const match = pattern.exec(line);
        if (match) found.push(`${path}:${index + 1}: "${match[0]}": ${instead}`);
      }
    }
  }
  assert.deepEqual(found, []);
});

test('every source file is reached from the program, a bench, a script, or a test that is not its own', () => {
  const reached = new Set<string>();
  const queue = code.filter((path) => path === 'src/main.ts' || !path.startsWith('src/') || /\.(itest|contract)\.ts$/.test(path));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...importsOf(path));
  }
  assert.deepEqual(
    code.filter((path) => path.startsWith('src/') && !isTest(path) && !path.endsWith('.d.ts') && !reached.has(path)),
    [],
  );
});

test('an engine is known to itself, to the roles and to tests, and to no other engine', () => {
  const strangers: string[] = [];
  for (const path of code) {
    if (!path.startsWith('src/') || path.startsWith('src/roles/') || isTest(path)) continue;
    for (const target of importsOf(path)) {
      const engine = ENGINES.find((folder) => target.startsWith(`${folder}/`));
      const isConfig = path.startsWith('src/config/') && target.endsWith('/config.ts');
      if (engine && !path.startsWith(`${engine}/`) && !isConfig) strangers.push(`${path} imports ${target}`);
    }
    for (const [client, room] of CLIENTS) {
      if (texts.get(path)?.includes(`from '${client}'`) && !path.startsWith(room)) strangers.push(`${path} imports ${client}`);
    }
  }
  assert.deepEqual(strangers, []);
});

test('every file with tests is found by a runner', () => {
  for (const [path, text] of texts) {
    if (!/^import (?!type\b).*'node:test';$/m.test(text) || /\.(contract|fixture)\.ts$/.test(path)) continue;
    assert.ok(
      TEST_GLOBS.some((glob) => matchesGlob(path, glob)),
      `no runner finds ${path}`,
    );
  }
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const run = `${scripts['test:unit']} ${scripts['test:clients']} ${read('scripts/test-integration.ts')}`.replaceAll("'", '"');
  for (const glob of TEST_GLOBS) {
    assert.ok(run.includes(`"${glob}"`), `no script runs ${glob}`);
  }
});

test('no file has a default export or gathers the exports of others', () => {
  for (const [path, text] of texts) {
    assert.doesNotMatch(text, /^export default\b/m, path);
    assert.doesNotMatch(text, /^export (\*|\{[^}]*\}) from /m, path);
  }
});

test('dependencies are pinned, and the lock file names no place they come from', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) assert.match(version, /^\d/, name);
  assert.doesNotMatch(read('package-lock.json'), /"resolved": "(?!file:)/);
});
