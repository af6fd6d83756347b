import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import { nearestName } from '../lib/nearest.ts';

/** What a part of a request is called in messages; a parameter of the path or the query is a field by itself. */
const PART_NAMES: Record<string, string> = { querystring: 'query', params: 'path', body: 'body', headers: 'headers' };

interface Fault {
  field: string;
  reason: string;
}

/** Keys that the part of the schema under this path takes, as far as it names them. */
function knownKeys(schema: unknown, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return knownKeys(schema.unwrap(), path);
  const [key, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    return key === undefined ? Object.keys(schema.shape) : knownKeys(schema.shape[String(key)], rest);
  }
  if (schema instanceof z.ZodRecord && schema.keyType instanceof z.ZodEnum) return schema.keyType.options.map(String);
  return [];
}

function unknownKeyReason(key: string, known: string[]): string {
  if (known.length === 0) return `unknown "${key}": none is taken here`;
  const nearest = nearestName(key, known);
  return nearest ? `unknown "${key}": did you mean "${nearest}"?` : `unknown "${key}": known are ${known.join(', ')}`;
}

/** What a zod issue says in the words of a request; unknown keys name the nearest known one. */
function faultOf(issue: z.core.$ZodIssue, schema: z.ZodType, part: string): Fault {
  // A parameter that is a list is one field: `level`, not `level.0`. So is one of a tool, whose arguments may have parts.
  const index = part === 'arguments' ? issue.path.findIndex((key) => typeof key === 'number') : -1;
  const path = part === 'querystring' ? issue.path.slice(0, 1) : issue.path.slice(0, index === -1 ? undefined : index);
  const field = path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] as string;
    const reason = unknownKeyReason(key, knownKeys(schema, issue.path));
    return { field: field === '' ? key : `${field}.${key}`, reason };
  }
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    const nearest = typeof issue.input === 'string' ? nearestName(issue.input, known) : null;
    return { field, reason: `must be one of ${known.join(', ')}${nearest ? `; did you mean "${nearest}"?` : ''}` };
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    if (issue.input === undefined) return { field, reason: field === '' ? 'there is none' : 'is required' };
    return { field, reason: `must be of type ${issue.expected === 'record' ? 'object' : issue.expected}` };
  }
  return { field, reason: issue.message };
}

/** `invalid_argument` that names the first field at fault and lists the others. */
export function validationError(error: z.core.$ZodError, schema: z.ZodType, part: string): HeliosError {
  const faults = error.issues.map((issue) => faultOf(issue, schema, part));
  const { field, reason } = faults[0] as Fault;
  const where = PART_NAMES[part] ?? part;
  return new HeliosError('invalid_argument', `cannot read the ${where}: ${field === '' ? reason : `${field}: ${reason}`}`, {
    details: { field: field === '' ? where : field, ...(faults.length > 1 ? { errors: faults } : {}) },
  });
}

/** Fastify's hook for schemas: answers the parsed value or the error, never throws. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    // Fastify hands over null when there is no body at all.
    const result = schema.safeParse(data === null && httpPart === 'body' ? undefined : data, { reportInput: true });
    return result.success ? { value: result.data } : { error: validationError(result.error, schema, httpPart ?? 'request') };
  };
