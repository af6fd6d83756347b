import { GRPC_STATUS } from '../../lib/errors.ts';
import { ProtobufReader } from '../protobuf-reader.ts';
import { ProtobufWriter } from '../protobuf-writer.ts';
import { FILE_DESCRIPTIONS } from './descriptors.ts';
import type { AnsweringMethod, Method } from './method.ts';

const DOOR = 'grpc_reflection';

/** Fields of ServerReflectionRequest.message_request, and of ServerReflectionResponse. */
const REQUEST = { file: 3, symbol: 4, extension: 5, extensionNumbers: 6, services: 7 } as const;
const RESPONSE = { files: 4, services: 6, error: 7 } as const;

const words = (text: string): string[] => (text === '' ? [] : text.split(' '));
const SERVICES = FILE_DESCRIPTIONS.flatMap(({ services }) => words(services)).toSorted();

interface ReflectionRequest {
  host: string;
  /** Field number of what is asked for, 0 for nothing. */
  kind: number;
  name: string;
}

/** File descriptors by the name of the file and of all that it declares; built at the first question. */
class DescriptorIndex {
  readonly #byName = new Map(FILE_DESCRIPTIONS.map((file) => [file.name, file]));
  readonly #bySymbol = new Map(FILE_DESCRIPTIONS.flatMap(({ name, symbols }) => words(symbols).map((symbol) => [symbol, name])));

  fileOf(symbol: string): string {
    return this.#bySymbol.get(symbol) ?? '';
  }

  /** The file, then those that it imports, each once; empty when there is none of that name. */
  closureOf(name: string): Uint8Array[] {
    const names = new Set(this.#byName.has(name) ? [name] : []);
    const descriptors: Uint8Array[] = [];
    // A set is walked in the order of insertion, also over what is inserted on the way.
    for (const one of names) {
      const file = this.#byName.get(one);
      if (!file) continue;
      descriptors.push(Buffer.from(file.descriptor, 'base64'));
      for (const imported of words(file.imports)) names.add(imported);
    }
    return descriptors;
  }
}

/** grpc.reflection.v1.ServerReflection and v1alpha, the same but for their names (proto/grpc/reflection/v1/reflection.proto). */
export function reflectionMethods(): [path: string, Method][] {
  let index: DescriptorIndex | null = null;
  const answer = async (message: Uint8Array): Promise<Uint8Array> => respond((index ??= new DescriptorIndex()), message);
  const method: AnsweringMethod = { door: DOOR, access: 'anyone', shape: 'exchange', answer };
  return ['v1', 'v1alpha'].map((version) => [`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, method]);
}

function respond(index: DescriptorIndex, message: Uint8Array): Uint8Array {
  const request = readRequest(message);
  const response = new ProtobufWriter().string(1, request.host).message(2, message);
  if (request.kind === REQUEST.services) return response.message(RESPONSE.services, encodeServices()).finish();
  const name = request.kind === REQUEST.symbol ? index.fileOf(request.name) : request.name;
  const isFile = request.kind === REQUEST.symbol || request.kind === REQUEST.file;
  const files = isFile ? index.closureOf(name) : [];
  if (files.length === 0) return response.message(RESPONSE.error, encodeError(request)).finish();
  const descriptors = new ProtobufWriter();
  for (const file of files) descriptors.message(1, file);
  return response.message(RESPONSE.files, descriptors.finish()).finish();
}

function encodeServices(): Uint8Array {
  const list = new ProtobufWriter();
  for (const name of SERVICES) list.message(1, new ProtobufWriter().string(1, name).finish());
  return list.finish();
}

/** There are no extensions: proto3 has none but options. */
function encodeError({ kind, name }: ReflectionRequest): Uint8Array {
  const isKnown = kind >= REQUEST.file && kind <= REQUEST.services;
  const status = isKnown ? GRPC_STATUS.NOT_FOUND : GRPC_STATUS.INVALID_ARGUMENT;
  const reason = isKnown ? `there is no ${name}` : 'the request asks for nothing that is known';
  return new ProtobufWriter().uint(1, status).string(2, reason).finish();
}

function readRequest(message: Uint8Array): ReflectionRequest {
  const reader = new ProtobufReader();
  reader.begin(message, 'ServerReflectionRequest');
  const request: ReflectionRequest = { host: '', kind: 0, name: '' };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if ((tag & 7) !== 2) {
      reader.skip(tag);
      continue;
    }
    const end = reader.range();
    const text = Buffer.from(message.subarray(reader.position, end)).toString('utf8');
    reader.position = end;
    if (tag >>> 3 === 1) request.host = text;
    else if (tag >>> 3 === REQUEST.extension) Object.assign(request, { kind: REQUEST.extension, name: 'extension' });
    else Object.assign(request, { kind: tag >>> 3, name: text });
  }
  return request;
}
