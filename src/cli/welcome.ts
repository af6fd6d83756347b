import type { Config } from '../config/config.ts';

/** Where the doors are; null for a port that is off. */
export interface Urls {
  url: string;
  otlpUrl: string | null;
  grpcUrl: string | null;
}

function databaseName({ url, host, port, name }: Config['database']): string {
  if (url === undefined) return `${host}:${port}/${name}`;
  // Without user and password.
  const address = new URL(url);
  return address.host + address.pathname;
}

function storageOf({ data_dir: dataDir, kafka, database, target }: Config): string {
  if (kafka.brokers.length === 0) return `data in ${dataDir}`;
  const roles = target.includes('all') ? 'all roles' : target.join(', ');
  return `${roles} over Kafka at ${kafka.brokers.join(',')} and the database ${databaseName(database)}`;
}

/** What is printed when the server is up: where it listens, where the data is, and what this process can be asked. */
export function welcome({ url, otlpUrl, grpcUrl }: Urls, config: Config): string {
  const at = url === 'http://127.0.0.1:8080' ? '' : ` --url ${url}`;
  const plays = (role: Config['target'][number]): boolean => config.target.includes('all') || config.target.includes(role);
  const otlp = otlpUrl === null ? '' : `, OTLP over HTTP on ${otlpUrl}`;
  const grpc = grpcUrl === null ? '' : `, gRPC on ${grpcUrl}`;
  const event =
    '{\\"timestamp\\":\\"$(date -u +%FT%TZ)\\",\\"service\\":\\"shop\\",\\"level\\":\\"INFO\\",\\"message\\":\\"hello\\"}';
  const next = [
    ...(plays('ingest') ? [`curl ${url}/api/v1/events -d "${event}"`, `bin/helios replay events.ndjson${at}`] : []),
    ...(plays('console') ? [`bin/helios incidents${at}`] : []),
  ];
  const lines = next.length > 0 ? next : [`curl ${url}/readyz`];
  return [`HELIOS listens on ${url}${otlp}${grpc}, ${storageOf(config)}. Next:`, ...lines.map((line) => `  ${line}`)].join('\n');
}
