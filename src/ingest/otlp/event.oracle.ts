import { levelCode, LEVELS } from '../../model/event.ts';
import type { Decoded } from './protobuf.oracle.ts';
import { decodeMessage, LOGS_REQUEST, TRACES_REQUEST } from './protobuf.oracle.ts';

type Members = Map<string, unknown>;

const SHORT_NAMES = ['environment', 'namespace', 'version', 'service_version'];
const LONG_NAMES = ['deployment.environment.name', 'deployment.environment', 'service.namespace'];
const OWN_NAMES = [
  'adjusted_count',
  'resource.dropped_attributes_count',
  ...['name', 'version', 'attributes', 'dropped_attributes_count'].map((name) => `otel.scope.${name}`),
];
const OWN_NAMES_OF_SPANS = ['latency_ms', 'endpoint', 'span.name'];
const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

/** An AnyValue as the JSON value that stands for it; `depth` levels of arrays and objects are left. */
function plain(any: Decoded | undefined, depth: number): unknown {
  const [kind, value] = Object.entries(any ?? {}).at(-1) ?? ['', null];
  if (kind === 'intValue') return Number(value);
  if (kind === 'doubleValue') return Number.isFinite(value) ? value : String(value);
  if (kind === 'bytesValue') return value.toString('base64');
  if (kind !== 'arrayValue' && kind !== 'kvlistValue') return value;
  if (depth === 0) return '(nested too deeply)';
  if (kind === 'arrayValue') return value.values.map((element: Decoded) => plain(element, depth - 1));
  return object(value.values, depth - 1);
}

function object(list: Decoded[], depth: number): Decoded {
  return Object.fromEntries(list.map(({ key, value }) => [key ?? '', plain(value, depth)]));
}

/** The JSON text of an AnyValue, with all digits of its integers and every member, also those of equal names. */
function jsonText(any: Decoded | undefined, depth: number): string {
  const [kind, value] = Object.entries(any ?? {}).at(-1) ?? ['', null];
  if (kind === 'intValue') return String(value);
  if ((kind !== 'arrayValue' && kind !== 'kvlistValue') || depth === 0) return JSON.stringify(plain(any, depth));
  if (kind === 'arrayValue') return `[${value.values.map((element: Decoded) => jsonText(element, depth - 1)).join(',')}]`;
  const member = (entry: Decoded): string => `${JSON.stringify(entry['key'] ?? '')}:${jsonText(entry['value'], depth - 1)}`;
  return `{${value.values.map(member).join(',')}}`;
}

const msBetween = (start: bigint, end: bigint): number => Number(end - start) / 1e6;
const time = (nanos: bigint): string => {
  const iso = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${iso}.${String((nanos % 1_000_000_000n) / 1000n).padStart(6, '0')}Z`;
};

const hex = (id: Buffer | undefined): string | undefined => (id?.some((byte) => byte !== 0) ? id.toString('hex') : undefined);

/** Adds a member under its name, or under a longer one when that is taken. */
function add(members: Members, name: string, value: unknown, prefix = 'attributes.'): void {
  let free = name;
  while (members.has(free)) free = prefix + free;
  members.set(free, value);
}

function mayKeepName(name: string, value: Decoded | undefined, ofResource: boolean, ofSpan: boolean): boolean {
  const json = plain(value, 15);
  const isShort = value?.['stringValue'] === undefined || Buffer.byteLength(value['stringValue']) <= 128;
  if (OWN_NAMES.includes(name) || (ofSpan && OWN_NAMES_OF_SPANS.includes(name))) return false;
  if (SHORT_NAMES.includes(name)) return ofResource && isShort;
  if (LONG_NAMES.includes(name)) return isShort;
  if (name === 'endpoint') return !ofResource && value?.['stringValue'] !== undefined;
  if (name === 'latency_ms') return !ofResource && typeof json === 'number' && json >= 0 && json <= 1e9;
  return true;
}

function addAttribute(members: Members, { key = '', value }: Decoded, ofResource: boolean, ofSpan: boolean): void {
  add(members, mayKeepName(key, value, ofResource, ofSpan) ? key : `attributes.${key}`, plain(value, 15));
}

function addCount(members: Members, name: string, count: number | undefined): void {
  if (count) add(members, name, count);
}

function ofResource(resource: Decoded = { attributes: [] }, ofSpan: boolean): { service: string; members: Members } {
  const members: Members = new Map();
  let service = '';
  for (const attribute of resource['attributes']) {
    const text = attribute.value?.stringValue;
    if (attribute.key === 'service.name' && service === '' && text) service = text;
    else addAttribute(members, attribute, true, ofSpan);
  }
  addCount(members, 'resource.dropped_attributes_count', resource['droppedAttributesCount']);
  return { service: service || 'unknown_service', members };
}

function addScope(members: Members, scope: Decoded = { attributes: [] }): void {
  if (scope['name']) add(members, 'otel.scope.name', scope['name']);
  if (scope['version']) add(members, 'otel.scope.version', scope['version']);
  addCount(members, 'otel.scope.dropped_attributes_count', scope['droppedAttributesCount']);
  if (scope['attributes'].length > 0) add(members, 'otel.scope.attributes', object(scope['attributes'], 14));
}

/** Puts the resource's members beside the record's, which keep their names. */
function beside(shared: Members, own: Members): Decoded {
  const isShared = ([name]: [string, unknown]): boolean => own.has(name);
  const all: Members = new Map([...own, ...[...shared].filter((member) => !isShared(member))]);
  for (const [name, value] of [...shared].filter(isShared)) add(all, `resource.${name}`, value, 'resource.');
  return Object.fromEntries(all);
}

function logEvent(log: Decoded, arrival: bigint): { event: Decoded; own: Members } {
  const own: Members = new Map();
  const { timeUnixNano = 0n, observedTimeUnixNano = 0n, severityNumber = 0, severityText = '', eventName = '' } = log;
  const level = LEVELS[levelCode(severityNumber) || levelCode(severityText) || 2] as string;
  if (timeUnixNano && observedTimeUnixNano && timeUnixNano !== observedTimeUnixNano) {
    own.set('observed_timestamp', time(observedTimeUnixNano));
  }
  if (severityNumber !== 0 && severityNumber !== [5, 9, 13, 17, 21][LEVELS.indexOf(level as 'INFO') - 1]) {
    own.set('severity_number', severityNumber);
  }
  if (severityText !== '' && severityText.toUpperCase() !== level) own.set('severity_text', severityText);
  if (eventName !== '') own.set('event_name', eventName);
  addCount(own, 'flags', log['flags']);
  addCount(own, 'dropped_attributes_count', log['droppedAttributesCount']);
  for (const attribute of log['attributes']) addAttribute(own, attribute, false, false);
  const body = log['body'];
  const isText = typeof body?.stringValue === 'string' || body?.bytesValue !== undefined;
  const hasBody = Object.keys(body ?? {}).length > 0;
  const message = hasBody ? (isText ? plain(body, 0) : jsonText(body, 16)) : eventName;
  const at = timeUnixNano || observedTimeUnixNano || arrival;
  const event = { timestamp: time(at), level, message, kind: 'log', trace_id: hex(log['traceId']), span_id: hex(log['spanId']) };
  return { event, own };
}

/** 2^56 / (2^56 - T), by the letter of the specification. */
function adjustedCount(traceState: string): number {
  const ot = traceState.split(',').map((entry) => entry.replace(/^[ \t]+|[ \t]+$/g, ''));
  const member = ot.find((entry) => entry.startsWith('ot='))?.slice(3);
  const threshold = member
    ?.split(';')
    .find((item) => item.startsWith('th:'))
    ?.slice(3);
  if (threshold === undefined || !/^[0-9a-f]{1,14}$/.test(threshold)) return 1;
  return Number(2n ** 56n) / Number(2n ** 56n - BigInt(`0x${threshold.padEnd(14, '0')}`));
}

function detail(item: Decoded): Decoded {
  const { timeUnixNano, name, traceId, spanId, traceState, droppedAttributesCount, flags, attributes } = item;
  return JSON.parse(
    JSON.stringify({
      time: timeUnixNano ? time(timeUnixNano) : undefined,
      name: name || undefined,
      trace_id: hex(traceId),
      span_id: hex(spanId),
      trace_state: traceState || undefined,
      dropped_attributes_count: droppedAttributesCount || undefined,
      flags: flags || undefined,
      attributes: attributes.length > 0 ? object(attributes, 12) : undefined,
    }),
  ) as Decoded;
}

function endpointOf(span: Decoded): { endpoint: string; isName: boolean } {
  const texts = (span['attributes'] as Decoded[]).filter(({ value }) => value?.stringValue !== undefined);
  const last = (...names: string[]): string => texts.findLast(({ key }) => names.includes(key))?.['value'].stringValue ?? '';
  const isCall = texts.some(({ key }) => ['rpc.system', 'rpc.system.name', 'messaging.system'].includes(key));
  const route = last('http.route') || last('url.template');
  const method = last('http.request.method', 'http.method');
  if (isCall || route === '') return { endpoint: span['name'] ?? '', isName: true };
  return { endpoint: method === '' ? route : `${method} ${route}`, isName: false };
}

function spanEvent(span: Decoded, arrival: bigint): { event: Decoded; own: Members } {
  const own: Members = new Map();
  const { startTimeUnixNano: start = 0n, endTimeUnixNano: end = 0n, kind = 0, status, traceState = '', name = '' } = span;
  if (start && end && end >= start && end - start <= 10n ** 15n) own.set('latency_ms', msBetween(start, end));
  else if (start && end) own.set('start_timestamp', time(start));
  if (kind !== 0) own.set('span.kind', KINDS[kind] ?? kind);
  if (status?.code) own.set('otel.status_code', ['', 'OK', 'ERROR'][status.code] ?? status.code);
  if (traceState !== '') own.set('trace_state', traceState);
  if (adjustedCount(traceState) > 1) own.set('adjusted_count', adjustedCount(traceState));
  addCount(own, 'flags', span['flags']);
  for (const what of ['Attributes', 'Events', 'Links']) {
    addCount(own, `dropped_${what.toLowerCase()}_count`, span[`dropped${what}Count`]);
  }
  if (span['events'].length > 0) own.set('events', span['events'].map(detail));
  if (span['links'].length > 0) own.set('links', span['links'].map(detail));
  const { endpoint, isName } = endpointOf(span);
  if (endpoint !== '') own.set('endpoint', endpoint);
  if (!isName && status?.message && name !== '') own.set('span.name', name);
  for (const attribute of span['attributes']) addAttribute(own, attribute, false, true);
  const parent = hex(span['parentSpanId']);
  const event = {
    timestamp: time(end || start || arrival),
    level: status?.code === 2 ? 'ERROR' : 'INFO',
    message: status?.message || name,
    kind: kind === 2 || kind === 5 || parent === undefined ? 'span' : 'inner_span',
    trace_id: hex(span['traceId']),
    span_id: hex(span['spanId']),
    parent_span_id: parent,
  };
  return { event, own };
}

/** Events of a request by the plainest code: decoded to objects, and each object to an event. */
export function expectedEvents(signal: 'logs' | 'traces', body: Uint8Array, arrivalMs: number): Decoded[] {
  const ofSpan = signal === 'traces';
  const { resources } = decodeMessage(ofSpan ? TRACES_REQUEST : LOGS_REQUEST, body) as { resources: Decoded[] };
  const arrival = BigInt(arrivalMs) * 1_000_000n;
  return resources.flatMap(({ resource, scopes }) =>
    (scopes as Decoded[]).flatMap(({ scope, records }) =>
      (records as Decoded[]).map((record) => {
        const { service, members } = ofResource(resource, ofSpan);
        addScope(members, scope);
        const { event, own } = ofSpan ? spanEvent(record, arrival) : logEvent(record, arrival);
        return JSON.parse(JSON.stringify({ ...event, service, metadata: beside(members, own) })) as Decoded;
      }),
    ),
  );
}
