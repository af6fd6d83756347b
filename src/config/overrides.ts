import { formatDurationMs } from '../lib/units.ts';
import { HeliosError } from '../lib/errors.ts';
import { configSchema, type Config } from './config.ts';
import { parseFlow } from './environment.ts';
import { CONFIG_KEYS, valueOfText, type ConfigKey } from './keys.ts';
import { Layers, problemsOf } from './sources.ts';

const SECTION = 'anomaly_detection';
type Detection = Config[typeof SECTION];
type Spelled = string | number | boolean | (string | number)[];

export interface OverriddenDetection {
  config: Detection;
  /** By full key, durations as the file spells them: the new values, and those that they replace. */
  overrides: Record<string, Spelled>;
  present: Record<string, Spelled>;
}

function fullKey(name: string): string {
  return name.includes('.') ? name : `${SECTION}.${name}`;
}

function spell(value: unknown, key: ConfigKey): Spelled {
  return key.unit === 'duration' ? formatDurationMs(value as number) : (value as Spelled);
}

/** Reads the overrides into `layers`; returns what is wrong with their names, or with null as a value. */
function collect(overrides: Readonly<Record<string, unknown>>, layers: Layers): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(overrides)) {
    const key = fullKey(name);
    const known = CONFIG_KEYS.find((candidate) => candidate.key === key);
    if (known && known.path[0] !== SECTION) problems.push(`${name}: only keys of ${SECTION} can be overridden`);
    else if (layers.origins.has(key)) problems.push(`${name}: ${key} is given twice`);
    else if (value === null) problems.push(`${name}: ${key} must be ${known?.type ?? 'given'}, not null`);
    else {
      const text = typeof value === 'string' && known ? valueOfText(value, known.shape, parseFlow) : value;
      layers.add(key.split('.'), text, name);
    }
  }
  return problems;
}

/**
 * The section anomaly_detection with some of its keys changed. Keys are full ("anomaly_detection.threshold") or short
 * ("threshold"), values as in the file or as text. Throws one `invalid_argument` that lists everything that is wrong.
 */
export function overrideDetection(current: Detection, overrides: Readonly<Record<string, unknown>>): OverriddenDetection {
  const layers = new Layers();
  const problems = collect(overrides, layers);
  const parsed = configSchema.safeParse(layers.values);
  for (const issue of parsed.error?.issues ?? []) problems.push(...problemsOf(issue, layers));
  if (!parsed.success || problems.length > 0) {
    const list = problems.length === 1 ? ` ${problems[0]}` : problems.map((problem) => `\n  ${problem}`).join('');
    throw new HeliosError('invalid_argument', `cannot use the overrides:${list}`, { details: { field: 'overrides', problems } });
  }
  const result: OverriddenDetection = { config: { ...current }, overrides: {}, present: {} };
  for (const key of CONFIG_KEYS) {
    if (!layers.origins.has(key.key)) continue;
    const name = key.path.at(-1) as keyof Detection;
    const value = parsed.data[SECTION][name];
    Object.assign(result.config, { [name]: value });
    result.overrides[key.key] = spell(value, key);
    result.present[key.key] = spell(current[name], key);
  }
  return result;
}
