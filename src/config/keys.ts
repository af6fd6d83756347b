import { z } from 'zod';
import { configSchema } from './config.ts';

/** One key of helios.yaml that holds a value, as read off the schema. */
export interface ConfigKey {
  /** Names from the root; `[]` stands for an item of a list. */
  path: readonly string[];
  /** The path joined by dots: "log.segment_size". */
  key: string;
  /** "HELIOS_LOG_SEGMENT_SIZE"; null inside a list, where the environment cannot reach. */
  environment: string | null;
  /** Variables under other names, which count unless `environment` speaks: "DB_HOST". */
  aliases: readonly string[];
  unit: 'duration' | 'size' | null;
  shape: 'text' | 'number' | 'boolean' | 'list' | 'mixed';
  /** In words, for messages and the reference page. */
  type: string;
  /** The value as it would be written in the file; undefined when there is none. */
  fallback: unknown;
  description: string;
  /** Printed as ***, and also read from the file that `<environment>_FILE` or `<alias>_FILE` names. */
  secret: boolean;
}

/** Names that the project plan, and many a deployment, has for these keys. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  'kafka.brokers': ['KAFKA_BROKERS'],
  'kafka.topic_events': ['KAFKA_TOPIC_EVENTS'],
  'kafka.topic_anomalies': ['KAFKA_TOPIC_ANOMALIES'],
  'kafka.aws_region': ['AWS_REGION'],
  'report.archive.s3.region': ['AWS_REGION'],
  'report.llm.openai_api_key': ['OPENAI_API_KEY'],
  'report.llm.anthropic_api_key': ['ANTHROPIC_API_KEY'],
  'report.llm.bedrock_api_key': ['AWS_BEARER_TOKEN_BEDROCK'],
  'report.llm.aws_region': ['AWS_REGION'],
  'database.host': ['DB_HOST'],
  'database.port': ['DB_PORT'],
  'database.name': ['DB_NAME'],
  'database.user': ['DB_USER'],
  'database.password': ['DB_PASSWORD'],
};

interface KeyMeta {
  description?: string | undefined;
  unit?: 'duration' | 'size';
  secret?: boolean;
}

interface Unwrapped {
  inner: z.core.$ZodType;
  fallback: unknown;
}

function unwrap(schema: z.core.$ZodType): Unwrapped {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return { inner: schema.def.innerType, fallback: schema.def.defaultValue };
  }
  if (schema instanceof z.ZodOptional) return unwrap(schema.def.innerType);
  return { inner: schema, fallback: undefined };
}

function orList(names: readonly unknown[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${String(names.at(-1))}`;
}

function numberType(schema: z.ZodNumber): string {
  const words = [schema.format === 'safeint' ? 'a whole number' : 'a number'];
  const low = schema.minValue ?? -Infinity;
  const high = schema.maxValue ?? Infinity;
  const exclusive = schema.def.checks?.some(
    ({ _zod: { def } }) => def.check === 'greater_than' && 'inclusive' in def && !def.inclusive,
  );
  if (low > Number.MIN_SAFE_INTEGER) words.push(exclusive ? `above ${low}` : `from ${low}`);
  if (high < Number.MAX_SAFE_INTEGER) words.push(low > Number.MIN_SAFE_INTEGER && !exclusive ? `to ${high}` : `up to ${high}`);
  return words.join(' ');
}

function typeOf(schema: z.core.$ZodType, unit: ConfigKey['unit']): Pick<ConfigKey, 'shape' | 'type'> {
  if (unit !== null) return { shape: 'text', type: `a ${unit}` };
  if (schema instanceof z.ZodNumber) return { shape: 'number', type: numberType(schema) };
  if (schema instanceof z.ZodBoolean) return { shape: 'boolean', type: 'true or false' };
  if (schema instanceof z.ZodEnum) return { shape: 'text', type: orList(schema.options) };
  if (schema instanceof z.ZodLiteral) return { shape: 'text', type: orList([...schema.values]) };
  if (schema instanceof z.ZodDiscriminatedUnion) return { shape: 'mixed', type: 'mappings' };
  if (schema instanceof z.ZodUnion) {
    return { shape: 'mixed', type: orList(schema.options.map((option) => typeOf(option, null).type)) };
  }
  if (schema instanceof z.ZodArray) {
    const item = schema.element instanceof z.ZodString ? 'texts' : typeOf(schema.element, null).type;
    return { shape: 'list', type: `a list of ${item}` };
  }
  return schema instanceof z.ZodObject ? { shape: 'mixed', type: 'mappings' } : { shape: 'text', type: 'text' };
}

/** An object with the keys of all kinds of item that a list takes, where those are mappings; of a key that several have, the first says what it means. */
function itemShape(item: z.core.$ZodType): z.ZodObject | null {
  if (item instanceof z.ZodObject) return item;
  if (!(item instanceof z.ZodDiscriminatedUnion)) return null;
  const { discriminator, options } = item.def;
  const objects = options.filter((option) => option instanceof z.ZodObject);
  const shape: Record<string, z.core.$ZodType> = {};
  for (const object of objects)
    for (const [name, child] of Object.entries(object.shape)) shape[name] ??= child as z.core.$ZodType;
  const kinds = objects.map((object) => object.shape[discriminator]).filter((kind) => kind instanceof z.ZodLiteral);
  const meta = z.globalRegistry.get(shape[discriminator] as z.ZodType) ?? {};
  shape[discriminator] = z.enum(kinds.map(({ value }) => String(value))).meta(meta);
  return z.object(shape);
}

function collect(schema: z.core.$ZodType, path: readonly string[], keys: ConfigKey[]): void {
  const { inner, fallback } = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    for (const [name, child] of Object.entries(inner.shape)) collect(child, [...path, name], keys);
    return;
  }
  const meta: KeyMeta = z.globalRegistry.get(schema) ?? {};
  const items = inner instanceof z.ZodArray ? itemShape(inner.element) : null;
  const inList = path.some((name) => name.endsWith('[]'));
  const unit = meta.unit ?? null;
  const from = keys.length;
  keys.push({
    path,
    key: path.join('.'),
    environment: inList ? null : `HELIOS_${path.join('_').toUpperCase()}`,
    aliases: ALIASES[path.join('.')] ?? [],
    unit,
    ...typeOf(inner, unit),
    fallback,
    description: meta.description ?? '',
    secret: meta.secret ?? false,
  });
  if (items === null) return;
  collect(items, [...path.slice(0, -1), `${path.at(-1)}[]`], keys);
  const list = keys[from] as ConfigKey;
  keys[from] = { ...list, secret: keys.slice(from + 1).some((key) => key.secret) };
}

function allKeys(): ConfigKey[] {
  const keys: ConfigKey[] = [];
  collect(configSchema, [], keys);
  return keys;
}

/** Every key that holds a value, in the order of the schema; the keys of a list's items follow the list. */
export const CONFIG_KEYS: readonly ConfigKey[] = allKeys();

/**
 * The value that a text from the environment or a flag stands for, judged by the shape of its key. What does not fit is
 * left as text, so that validation names it.
 */
export function valueOfText(text: string, shape: ConfigKey['shape'], parseFlow: (text: string) => unknown): unknown {
  const trimmed = text.trim();
  if (shape === 'number' || shape === 'mixed')
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(trimmed) ? Number(trimmed) : text;
  if (shape === 'boolean')
    return trimmed === 'true' || trimmed === '1' ? true : trimmed === 'false' || trimmed === '0' ? false : text;
  if (shape !== 'list') return text;
  if (/^[[-]/.test(trimmed)) return parseFlow(text);
  return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim());
}
