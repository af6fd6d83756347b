import type { IncomingHttpHeaders } from 'node:http';
import { HeliosError } from '../../lib/errors.ts';
import { decompressSnappy } from '../../lib/snappy.ts';
import type { DoorLimits } from '../door-limits.ts';
import type { IngestHandler } from '../handler.ts';
import type { DoorRequest, HttpAnswer, HttpDoor } from '../http-exchange.ts';
import { problemAnswer, verdictAnswer } from './answer.ts';
import type { RemoteWriteVerdict } from './answer.ts';
import { decodeRemoteWrite } from './decode.ts';
import type { RemoteWriteVersion } from './decode.ts';
import { MetricFamilies } from './families.ts';

const DOOR = 'prometheus';
/** Senders whose types of metric families are remembered. Of one that is forgotten series are read by their names again. */
const MAX_SENDERS = 32;

const VERSIONS: Record<string, RemoteWriteVersion> = {
  'prometheus.WriteRequest': 1,
  'io.prometheus.write.v2.Request': 2,
};

/** By the `proto` parameter of the content type (Remote-Write 2.0, "Required Headers"); undefined for what is neither. */
function versionOf(header: string | undefined): RemoteWriteVersion | undefined {
  const [type, ...parameters] = (header ?? '').split(';').map((part) => part.trim());
  if (type?.toLowerCase() !== 'application/x-protobuf') return undefined;
  const proto = parameters.map((parameter) => /^proto="?([^"]*)"?$/i.exec(parameter)?.[1]).find((name) => name !== undefined);
  return proto === undefined ? 1 : VERSIONS[proto];
}

function unsupported(field: string, value: string | undefined, wanted: string): HeliosError {
  const message = `cannot read the body: the ${field} "${(value ?? '').slice(0, 64)}" is not ${wanted}`;
  return new HeliosError('unsupported_media_type', message, { details: { field } });
}

/** Prometheus remote write, versions 1.0 and 2.0: `POST /api/v1/write`, snappy. */
export class RemoteWriteDoor implements HttpDoor {
  readonly name = DOOR;
  readonly encodings = ['snappy'] as const;
  readonly #handler: IngestHandler;
  readonly #limitsOf: (door: string) => DoorLimits;
  readonly #families = new Map<string, MetricFamilies>();

  constructor(handler: IngestHandler, limitsOf: (door: string) => DoorLimits) {
    this.#handler = handler;
    this.#limitsOf = limitsOf;
  }

  check(headers: IncomingHttpHeaders): void {
    const { 'content-type': type, 'content-encoding': encoding } = headers;
    if (versionOf(type) === undefined) {
      const wanted = `application/x-protobuf, alone or with proto=${Object.keys(VERSIONS).join(' or ')}`;
      throw unsupported('Content-Type', type, wanted);
    }
    if (encoding === undefined) throw unsupported('Content-Encoding', encoding, 'snappy');
  }

  async take({ headers, sender, body, ticket }: DoorRequest): Promise<RemoteWriteVerdict> {
    const message = decompressSnappy(body, this.#limitsOf(DOOR).maxBodyBytes);
    ticket.reserve(message.length);
    const limits = this.#handler.limitsFor(sender.principal);
    const version = versionOf(headers['content-type']) ?? 1;
    const { samples, histograms, exemplars, ...lines } = decodeRemoteWrite(
      message,
      version,
      limits,
      this.#familiesOf(sender.client),
      ticket,
    );
    const verdict = await this.#handler.acceptMetrics({ door: DOOR, sender, lines });
    return { ...verdict, written: { samples, histograms, exemplars } };
  }

  answer(verdict: RemoteWriteVerdict, headers: IncomingHttpHeaders): HttpAnswer {
    return verdictAnswer(verdict, versionOf(headers['content-type']) ?? 1);
  }

  problem(error: HeliosError): HttpAnswer {
    return problemAnswer(error);
  }

  #familiesOf(client: string): MetricFamilies {
    const known = this.#families.get(client) ?? new MetricFamilies();
    this.#families.delete(client);
    this.#families.set(client, known);
    if (this.#families.size > MAX_SENDERS) this.#families.delete(this.#families.keys().next().value as string);
    return known;
  }
}
