import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Command } from 'commander';
import { metricDefinitions, referencePages } from '../scripts/reference-pages.ts';
import { createProgram } from '../src/cli/program.ts';
import { CLIENT_VARIABLES, RESERVED_VARIABLES } from '../src/config/environment.ts';
import { CONFIG_KEYS } from '../src/config/keys.ts';
import { loadConfig } from '../src/config/sources.ts';
import { ERROR_CODES } from '../src/lib/errors.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = globSync(['*.md', 'docs/*.md'], { cwd: root }).toSorted();

/** Source files without tests and without the lists that define what is looked for. */
function sourceWithout(...files: string[]): string {
  const sources = globSync('src/**/*.ts', {
    cwd: root,
    exclude: ['**/*.test.ts', '**/*.itest.ts', '**/*.contract.ts', '**/*.fixture.ts', ...files],
  });
  return sources.map((path) => read(path)).join('\n');
}

/** Texts between backticks on one line. */
function codeSpans(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] as string);
}

/** Commands of fenced blocks and of code spans, one a line, without what follows a pipe or a comment. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh|bash|console)?\n(.*?)^```/gms)].flatMap((match) =>
    (match[1] as string).split('\n'),
  );
  const lines = [...blocks, ...codeSpans(text.replaceAll(/^```.*?^```/gms, ''))];
  return lines.flatMap((line) => line.split(/\||&&|;|\s#/)).map((line) => line.trim().replace(/^\$ /, ''));
}

/** What is wrong with a `helios …` command line, or null. */
function problemOfCommand(words: readonly string[], program: Command): string | null {
  let command = program;
  for (const [index, word] of words.entries()) {
    const flag = /^--[a-z-]+/.exec(word)?.[0];
    if (flag !== undefined) {
      if (['--help', '--version'].includes(flag) || command.options.some((option) => option.long === flag)) continue;
      return `${command.name()} has no flag ${flag}`;
    }
    if (command.commands.length === 0 || words[index - 1]?.startsWith('--') === true) continue;
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next) command = next;
    else if (/^[a-z-]+$/.test(word) && word !== 'help') return `there is no command ${word}`;
  }
  return null;
}

test('the generated reference pages are those of this code (npm run docs writes them)', async () => {
  for (const [path, text] of Object.entries(await referencePages())) assert.equal(read(path), text, `${path} is stale`);
});

test('every metric is measured somewhere, and every metric that a document names exists', async () => {
  const definitions = await metricDefinitions();
  const names = new Set(definitions.map(({ name }) => name));
  const functions = read('src/store/timescale/migrations/000002.sql').matchAll(/CREATE FUNCTION (helios_\w+)/g);
  const known = new Set([...names, ...[...functions].map((match) => match[1])]);
  assert.equal(names.size, definitions.length, 'two metrics have the same name');
  for (const path of documents) {
    for (const span of codeSpans(read(path))) if (/^helios_[a-z_]+$/.test(span)) assert.ok(known.has(span), `${path}: ${span}`);
  }
  for (const path of globSync('src/*/metrics.ts', { cwd: root })) {
    const used = sourceWithout('**/metrics.ts');
    for (const [, constant = ''] of read(path).matchAll(/^export const (\w+)(?:: MetricDefinition)? = \{/gm)) {
      if (constant !== 'silentMetrics')
        assert.match(used, new RegExp(`\\b${constant}\\b`), `${path}: nothing measures ${constant}`);
    }
  }
});

test('every configuration key is read somewhere, and every key or variable that a document names exists', () => {
  const source = sourceWithout('src/config/**', 'src/*/config.ts');
  const keys = new Set(CONFIG_KEYS.map(({ key }) => key));
  const variables = new Set([
    ...CONFIG_KEYS.flatMap(({ environment }) => environment ?? []),
    ...CLIENT_VARIABLES,
    ...RESERVED_VARIABLES,
  ]);
  const sections = new Set(CONFIG_KEYS.filter(({ path }) => path.length > 1).map(({ path }) => path[0]));
  const isRead = (name = ''): boolean => new RegExp(`\\b${name.replace('[]', '')}\\b`).test(source);
  const unread = CONFIG_KEYS.filter(({ path }) => !isRead(path.at(-1)));
  assert.deepEqual(
    unread.map(({ key }) => key),
    [],
  );
  for (const path of documents) {
    for (const span of codeSpans(read(path))) {
      const section = /^([a-z_]+)\.[a-z_]+$/.exec(span)?.[1];
      if (section !== undefined && sections.has(section) && !/\.(ts|db|md)$/.test(span))
        assert.ok(keys.has(span), `${path}: there is no key ${span}`);
      if (/^HELIOS_[A-Z_]+$/.test(span) && !span.startsWith('HELIOS_TEST_')) assert.ok(variables.has(span), `${path}: ${span}`);
    }
  }
});

test('every helios.yaml that a document shows is one that the program takes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'helios-docs-'));
  try {
    for (const path of documents) {
      for (const [, yaml = ''] of read(path).matchAll(/^```yaml\n(# helios\.yaml\n.*?)^```/gms)) {
        writeFileSync(join(directory, 'helios.yaml'), yaml);
        // A password is no part of a file that is shown.
        const env = yaml.includes('scram-sha') ? { HELIOS_KAFKA_PASSWORD: 'secret' } : {};
        assert.doesNotThrow(() => loadConfig({ cwd: directory, env }), path);
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('every error code is used somewhere', () => {
  const source = sourceWithout('src/lib/errors.ts');
  assert.deepEqual(
    Object.keys(ERROR_CODES).filter((code) => !source.includes(`'${code}'`)),
    [],
  );
});

test('every command that a document shows exists, with its flags', () => {
  const targets = new Set([...read('Makefile').matchAll(/^([a-z-]+):.*##/gm)].map((match) => match[1] as string));
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  const program = createProgram({ version: '', signal: new AbortController().signal, print: () => {}, warn: () => {} });
  let seen = 0;
  for (const path of documents) {
    for (const line of commandsOf(read(path))) {
      const [first = '', ...words] = line.split(/\s+/);
      let problem: string | null = null;
      if (first === 'make' && words[0] !== undefined && !targets.has(words[0])) problem = `there is no target ${words[0]}`;
      if (first === 'npm' && words[0] === 'run' && !scripts.includes(words[1] ?? '')) problem = `there is no script ${words[1]}`;
      if (first === 'helios' || first === 'bin/helios') problem = problemOfCommand(words, program);
      assert.equal(problem, null, `${path}: ${line}: ${problem}`);
      if (/^(make|npm|helios|bin\/helios)$/.test(first)) seen += 1;
    }
  }
  assert.ok(seen > 10, 'the documents show hardly any command: is the pattern broken?');
});

test('every file that a document links to exists', () => {
  for (const path of documents) {
    for (const [, target] of read(path).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      const file = join(path, '..', target as string);
      assert.ok(globSync(file, { cwd: root }).length > 0, `${path} links to ${target}, which does not exist`);
    }
  }
});

test('the configurations of clients that a document shows are those of the tests', () => {
  let seen = 0;
  for (const path of documents) {
    for (const [, file = '', block = ''] of read(path).matchAll(/^<!-- (test\/\S+) -->\n```\w+\n(.*?)^```/gms)) {
      // How far a line is indented depends on what stands around it.
      const source = new Set(
        read(file)
          .split('\n')
          .map((line) => line.trim()),
      );
      for (const line of block.split('\n'))
        assert.ok(source.has(line.trim()), `${path} shows a line that ${file} has not: ${line}`);
      seen++;
    }
  }
  assert.ok(seen >= 4, 'the documents show hardly any configuration: is the pattern broken?');
});
