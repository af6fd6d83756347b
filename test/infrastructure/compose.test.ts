import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { TARGETS } from '../../src/config/process.ts';
import { loadConfig } from '../../src/config/sources.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Service {
  image: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const roles = services.filter(([, { image }]) => image.startsWith('helios:'));
/** `${NAME:-value}` as it is when nothing is set. */
const withDefaults = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

test('the services and ports are those of the project plan, on loopback only', () => {
  const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${withDefaults(port)}`));
  assert.deepEqual(published.toSorted(), [
    'grafana 127.0.0.1:3000:3000',
    'kafka 127.0.0.1:9092:9092',
    'kafka-ui 127.0.0.1:9000:8080',
    'prometheus 127.0.0.1:9090:9090',
    'proxy 127.0.0.1:4317:4317',
    'proxy 127.0.0.1:4318:4318',
    'proxy 127.0.0.1:8080:8080',
    'timescaledb 127.0.0.1:5432:5432',
  ]);
  for (const name of ['ingestion', 'storage', 'detection', 'reporting']) assert.ok(compose.services[name], name);
});

test('every role of the program is played by one service, which can be scaled: it has no port and no name of its own', () => {
  const played = roles.flatMap(([, { command = [] }]) => (command[0] === 'serve' ? [command[2]] : []));
  assert.deepEqual(new Set(played), new Set(TARGETS.filter((target) => target !== 'all')));
  assert.equal(new Set(played).size, played.length);
  for (const [name, service] of roles) {
    assert.equal(service.ports, undefined, name);
    assert.equal('container_name' in service, false, name);
    assert.equal(service.build, '.', name);
  }
});

test('every role takes its configuration as it is, without a warning, and the database can be migrated by it', () => {
  for (const [name, { environment = {}, command = [] }] of roles) {
    const env = Object.fromEntries(Object.entries(environment).map(([variable, text]) => [variable, withDefaults(String(text))]));
    // The image's own.
    for (const [, variable = '', text = ''] of read('Dockerfile').matchAll(/^\s*(?:ENV )?(HELIOS_\w+)=(\S+)/gm))
      env[variable] ??= text;
    const target = command[0] === 'serve' ? command[2] : undefined;
    const { config, warnings } = loadConfig({ env, cwd: join(root, 'infrastructure'), flags: { target } });
    assert.deepEqual(warnings, [], name);
    assert.deepEqual(config.target, [target ?? 'all'], name);
    assert.deepEqual([config.kafka.brokers, config.kafka.replication], [['kafka:29092'], 1], name);
    assert.deepEqual([config.database.host, config.database.port, config.database.name], ['timescaledb', 5432, 'helios'], name);
    assert.deepEqual([config.host, config.port, config.insecure, config.database.migrate], ['0.0.0.0', 8080, true, false], name);
  }
});

test('addresses inside do not depend on an .env that names the host for other programs', () => {
  const settable = new Set([...read('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map((match) => match[1] as string));
  for (const variable of ['KAFKA_BROKERS', 'DB_HOST', 'DB_PORT']) assert.equal(settable.has(variable), false, variable);
});

test('every file that is mounted exists, and every volume is declared', () => {
  for (const [name, { volumes = [] }] of services) {
    for (const volume of volumes) {
      const source = volume.split(':')[0] as string;
      if (source.startsWith('.')) assert.ok(existsSync(join(root, source)), `${name}: ${source}`);
      else assert.ok(source in compose.volumes, `${name}: ${source}`);
    }
  }
});

test('images are pinned by version', () => {
  for (const [name, { image }] of services) {
    if (!image.startsWith('helios:')) assert.match(image, /^[\w./-]+:v?\d+\.\d+\.\d+(-[\w.]+)?$/, name);
  }
});

test('nothing starts before what it needs, and what is waited for has a health check', () => {
  for (const [name, { depends_on: needs = {} }] of services) {
    for (const [needed, { condition }] of Object.entries(needs)) {
      const service = compose.services[needed];
      assert.ok(service, `${name} needs ${needed}`);
      // The image of HELIOS brings a health check of its own.
      const isChecked = service.healthcheck?.disable !== true && (service.healthcheck ?? service.build) !== undefined;
      if (condition === 'service_healthy') assert.ok(isChecked, `${name} waits for ${needed}, which has no health check`);
    }
  }
  assert.equal(compose.services['migrate']?.healthcheck?.disable, true);
  for (const [name] of roles.filter(([name]) => name !== 'migrate')) {
    assert.equal(compose.services[name]?.depends_on?.['migrate']?.condition, 'service_completed_successfully', name);
  }
});

test('the proxy hands every door to ingestion and all else to the console', () => {
  const configuration = read('infrastructure/compose/nginx.conf');
  const map = /map "\$request_method \$uri" \$role \{(.*?)\n {4}\}/s.exec(configuration)?.[1] ?? '';
  const rules = [...map.matchAll(/^\s+"?([^"\s][^"]*?)"? (\w+);$/gm)].map(([, pattern = '', role]) => ({ pattern, role }));
  const roleOf = (request: string): string | undefined => {
    const found = rules.find(({ pattern }) =>
      pattern.startsWith('~') ? new RegExp(pattern.slice(1)).test(request) : pattern === request,
    );
    return (found ?? rules.find(({ pattern }) => pattern === 'default'))?.role;
  };
  for (const door of ['/api/v1/events', '/v1/logs', '/v1/traces', '/v1/metrics', '/api/v1/write']) {
    assert.equal(roleOf(`POST ${door}`), 'ingestion', door);
  }
  for (const request of ['GET /api/v1/events', 'GET /api/v1/stream', 'POST /api/v1/changes', 'GET /', 'GET /v1/logs/x']) {
    assert.equal(roleOf(request), 'console', request);
  }
  for (const [, host, port] of configuration.matchAll(/^\s+server (\w+):(\d+) resolve;$/gm)) {
    assert.ok(compose.services[host as string], host);
    assert.match(read('Dockerfile'), new RegExp(`^EXPOSE .*\\b${port}\\b`, 'm'));
  }
});
