import type { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import { configSchema, type Config } from './config.ts';
import { engineProblems, type Engine } from './engine-checks.ts';
import { parseFlow, readEnvironment, type Environment } from './environment.ts';
import { readConfigFile } from './file.ts';
import { CONFIG_KEYS, valueOfText } from './keys.ts';
import { nearestName } from '../lib/nearest.ts';

export interface ConfigRequest {
  /** The file that --config names; absent: helios.yaml in `cwd`, when there is one. */
  file?: string | undefined;
  /** Values of flags of their own by dotted path: `{ port: 0, data_dir: './data' }`; undefined ones are not given. */
  flags?: Readonly<Record<string, unknown>> | undefined;
  /** "key=value" texts of --set. */
  set?: readonly string[] | undefined;
  /** The one engine that is worked on; absent: whatever is configured has to be complete. */
  needs?: Engine | undefined;
  env?: Environment;
  cwd?: string;
}

export interface LoadedConfig {
  config: Config;
  warnings: string[];
  /** Where a value came from, by dotted path: "helios.yaml:3:1", "HELIOS_PORT", "--port"; absent: the default. */
  origins: ReadonlyMap<string, string>;
}

type Tree = Record<string, unknown>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Later values win; mappings are merged, lists replaced; null (a key with nothing after it) says nothing. */
function merge(target: Tree, source: Tree): void {
  for (const [name, value] of Object.entries(source)) {
    if (value === null) continue;
    const known = Object.hasOwn(target, name) ? target[name] : undefined;
    if (isTree(value)) {
      const inner: Tree = isTree(known) ? known : {};
      merge(inner, value);
      define(target, name, inner);
    } else define(target, name, value);
  }
}

/** Like `target[name] = value`, also for a key spelled __proto__. */
function define(target: Tree, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function treeOf(path: readonly string[], value: unknown): Tree {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Tree;
}

/** Collects values, newest last, and remembers where each came from. */
export class Layers {
  readonly values: Tree = {};
  readonly origins = new Map<string, string>();

  add(path: readonly string[], value: unknown, origin: string): void {
    merge(this.values, treeOf(path, value));
    this.origins.set(path.join('.'), origin);
  }

  addTree(values: Tree, positions: ReadonlyMap<string, string>): void {
    merge(this.values, values);
    for (const [key, position] of positions) this.origins.set(key, position);
  }

  /** What is wrong at a path, behind its origin where something has set it. */
  problem(path: readonly PropertyKey[], text: string): string {
    const origin = this.#originOf(path);
    return origin === null ? text : `${origin}: ${text}`;
  }

  /** The origin of a path: its own, else that of something inside it, else that of what it is inside of; null when nothing set it. */
  #originOf(path: readonly PropertyKey[]): string | null {
    const key = path.map(String).join('.');
    const own = this.origins.get(key);
    if (own !== undefined) return own;
    for (const [other, origin] of this.origins) if (other.startsWith(`${key}.`)) return origin;
    return path.length > 1 ? this.#originOf(path.slice(0, -1)) : null;
  }
}

function addFlags(layers: Layers, request: ConfigRequest, problems: string[]): void {
  const shapes = new Map(CONFIG_KEYS.map((key) => [key.key, key.shape]));
  const convert = (key: string, value: unknown): unknown =>
    typeof value === 'string' ? valueOfText(value, shapes.get(key) ?? 'text', parseFlow) : value;
  for (const text of request.set ?? []) {
    const equals = text.indexOf('=');
    const key = text.slice(0, equals).trim();
    if (equals < 1) problems.push(`--set ${text}: expected key=value, such as log.segment_size=64MiB`);
    else layers.add(key.split('.'), convert(key, text.slice(equals + 1)), `--set ${key}`);
  }
  for (const [key, value] of Object.entries(request.flags ?? {})) {
    if (value !== undefined) layers.add(key.split('.'), convert(key, value), `--${key.replaceAll('_', '-')}`);
  }
}

/** A path as CONFIG_KEYS has it: an index of a list becomes [] at the end of the list's name. */
function schemaPath(path: readonly PropertyKey[]): string[] {
  return path.flatMap((name, i) =>
    typeof name === 'number' ? [] : [`${String(name)}${typeof path[i + 1] === 'number' ? '[]' : ''}`],
  );
}

function knownNames(path: readonly PropertyKey[]): string[] {
  const parent = schemaPath(path);
  const inside = CONFIG_KEYS.filter((known) => parent.every((name, i) => known.path[i] === name));
  return [...new Set(inside.flatMap((known) => known.path[parent.length]?.replace(/\[\]$/, '') ?? []))];
}

function unknownKey(path: readonly PropertyKey[], layers: Layers): string {
  const key = path.map(String).join('.');
  const parent = path.slice(0, -1);
  const last = String(path.at(-1));
  const sibling = nearestName(last, knownNames(parent));
  const elsewhere =
    CONFIG_KEYS.find((known) => known.path.at(-1) === last)?.key ??
    nearestName(
      key,
      CONFIG_KEYS.map((known) => known.key),
    );
  const nearest = sibling === null ? elsewhere : [...parent.map(String), sibling].join('.');
  return layers.problem(path, `unknown key ${key}${nearest === null ? '' : `; did you mean ${nearest}?`}`);
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<PropertyKey, unknown> | undefined)?.[name], values);
}

/** What an issue of the schema says, in the words of a person: origin, key, and what was expected. */
export function problemsOf(issue: z.core.$ZodIssue, layers: Layers): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...issue.path, key], layers));
  const key = issue.path.map(String).join('.');
  const known = CONFIG_KEYS.find((candidate) => candidate.key === key);
  // What has the type and not the form says itself what it should be.
  const isForm = issue.code === 'custom' || issue.code === 'invalid_format';
  const text =
    isForm || known === undefined || known.secret
      ? `${key}: ${issue.message}`
      : `${key} must be ${known.type}, not ${JSON.stringify(valueAt(layers.values, issue.path))}`;
  return [layers.problem(issue.path, text)];
}

/** History is as old as it is: when time advances with the data, only a retention that was asked for applies. */
function withoutDefaultRetention(config: Config, layers: Layers): Config {
  if (config.clock === 'wall') return config;
  if (!layers.origins.has('log.retention_age')) config.log.retention_age = Infinity;
  if (!layers.origins.has('store.retention')) config.store.retention = Infinity;
  if (!layers.origins.has('database.event_retention')) config.database.event_retention = Infinity;
  return config;
}

/**
 * Defaults, then the file, then HELIOS_* variables, then flags; the last to speak wins.
 * Throws one `invalid_config` that lists everything that is wrong (`details.problems`).
 */
export function loadConfig(request: ConfigRequest = {}): LoadedConfig {
  const layers = new Layers();
  const file = readConfigFile(request.file, request.cwd ?? process.cwd());
  layers.addTree(file.values, file.positions);
  const environment = readEnvironment(request.env ?? process.env);
  for (const { path, value, variable } of environment.values) layers.add(path, value, variable);
  const problems = [...environment.problems];
  addFlags(layers, request, problems);
  const parsed = configSchema.safeParse(layers.values);
  for (const issue of parsed.error?.issues ?? []) problems.push(...problemsOf(issue, layers));
  for (const { path, reason } of parsed.success ? engineProblems(parsed.data, request.needs) : []) {
    problems.push(layers.problem(path, `${path.join('.')}: ${reason}`));
  }
  if (!parsed.success || problems.length > 0) {
    const list = problems.length === 1 ? ` ${problems[0]}` : problems.map((problem) => `\n  ${problem}`).join('');
    throw new HeliosError('invalid_config', `cannot use the configuration:${list}`, { details: { problems } });
  }
  return { config: withoutDefaultRetention(parsed.data, layers), warnings: environment.warnings, origins: layers.origins };
}
