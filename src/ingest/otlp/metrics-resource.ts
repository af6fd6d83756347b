import { ENVIRONMENT_KEYS, NAMESPACE_KEYS } from '../../model/event-rules.ts';
import type { LabelSet } from '../metric-labels.ts';
import type { MetricLineWriter } from '../metric-line-writer.ts';

/** The service of telemetry that names none (OpenTelemetry semantic conventions, "Service"). */
const UNKNOWN_SERVICE = 'unknown_service';
const SERVICE_KEY = 'service.name';
const SCOPE_NAME_LABEL = 'otel.scope.name';
const SCOPE_ATTRIBUTE_PREFIX = 'otel.scope.';

/**
 * Resource attributes become labels of every series: replicas that differ only in service.instance.id, host.name or k8s.pod.name
 * must not become one series. Left out is what says how a process was built or started: it is long, and names nothing that
 * another attribute does not.
 */
const DESCRIPTIVE = /^(telemetry\.|process\.(command|runtime|executable|owner)|os\.(description|build_id)|host\.(image|cpu)\.)/;

/** The first of these attributes that is set, with its text; both "" for none. */
function first(attributes: ReadonlyMap<string, string>, keys: readonly string[]): { key: string; text: string } {
  for (const key of keys) {
    const text = attributes.get(key);
    if (text) return { key, text };
  }
  return { key: '', text: '' };
}

function setText(labels: LabelSet, name: string, value: string): void {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  labels.set(nameBytes, 0, nameBytes.length, valueBytes, 0, valueBytes.length);
}

/**
 * What all points of a resource and scope have in common. The scope's name and attributes become labels `otel.scope.…`: two
 * libraries may report metrics of one name. Its version does not, or each upgrade would end every series.
 */
export class MetricsResource {
  /** Attributes as text; the last one of a name wins. */
  readonly attributes = new Map<string, string>();
  readonly scopeAttributes = new Map<string, string>();
  scopeName = '';

  /** Tells the writer whose series follow. */
  apply(writer: MetricLineWriter): void {
    const environment = first(this.attributes, ENVIRONMENT_KEYS);
    const namespace = first(this.attributes, NAMESPACE_KEYS);
    writer.setEntity(this.attributes.get(SERVICE_KEY) || UNKNOWN_SERVICE, environment.text, namespace.text);
    writer.base.clear();
    for (const [name, value] of this.attributes) {
      const isEntity = name !== '' && (name === SERVICE_KEY || name === environment.key || name === namespace.key);
      if (!isEntity && !DESCRIPTIVE.test(name)) setText(writer.base, name, value);
    }
    for (const [name, value] of this.scopeAttributes) setText(writer.base, SCOPE_ATTRIBUTE_PREFIX + name, value);
    if (this.scopeName !== '') setText(writer.base, SCOPE_NAME_LABEL, this.scopeName);
  }
}
