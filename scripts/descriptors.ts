import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';

const root = join(import.meta.dirname, '..');
export const DESCRIPTORS_PATH = 'src/ingest/grpc/descriptors.ts';

function enumSymbols(scope: string, { name, value }: EnumDescriptorProto): string[] {
  // Values of an enum are siblings of its name, as in C++.
  return [`${scope}.${name}`, ...value.map((one) => `${scope}.${one.name}`)];
}

function messageSymbols(scope: string, message: DescriptorProto): string[] {
  const own = `${scope}.${message.name}`;
  const members = [...message.field, ...message.oneofDecl].map(({ name }) => `${own}.${name}`);
  const nested = message.nestedType.flatMap((inner) => messageSymbols(own, inner));
  return [own, ...members, ...nested, ...message.enumType.flatMap((inner) => enumSymbols(own, inner))];
}

/** Full names of all that the file declares. */
function symbolsOf(file: FileDescriptorProto): string[] {
  const services = file.service.flatMap(({ name, method }) => {
    const own = `${file.package}.${name}`;
    return [own, ...method.map((one) => `${own}.${one.name}`)];
  });
  const messages = file.messageType.flatMap((message) => messageSymbols(file.package, message));
  return [...services, ...messages, ...file.enumType.flatMap((one) => enumSymbols(file.package, one))];
}

/** As the formatter wants it. */
function property(name: string, value: string): string {
  const line = `    ${name}: '${value}',`;
  return line.length <= 130 ? line : `    ${name}:\n      '${value}',`;
}

function describe(file: FileDescriptorProto): string {
  const bytes = Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString('base64');
  const services = file.service.map(({ name }) => `${file.package}.${name}`);
  const properties = [
    property('name', file.name),
    property('imports', file.dependency.join(' ')),
    property('services', services.join(' ')),
    property('symbols', symbolsOf(file).join(' ')),
    property('descriptor', bytes),
  ];
  return `  {\n${properties.join('\n')}\n  },`;
}

/** The text of `DESCRIPTORS_PATH`: what the files of proto/ declare, and those that they import. */
export function descriptorModule(): string {
  const buf = join(root, 'node_modules', '.bin', 'buf');
  const image = execFileSync(buf, ['build', 'proto', '--as-file-descriptor-set', '--exclude-source-info', '-o', '-'], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  const { file: files } = fromBinary(FileDescriptorSetSchema, image);
  return `// Generated from proto/ by \`npm run proto\`; do not edit.

/** A .proto file as the reflection service answers it; lists are separated by spaces. */
export interface FileDescription {
  name: string;
  imports: string;
  services: string;
  symbols: string;
  /** google.protobuf.FileDescriptorProto in base64. */
  descriptor: string;
}

export const FILE_DESCRIPTIONS: readonly FileDescription[] = [
${files.map(describe).join('\n')}
];
`;
}
