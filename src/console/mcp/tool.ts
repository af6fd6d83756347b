import type { z } from 'zod';
import type { AccessRole } from '../../model/access.ts';
import type { RouteContext } from '../app.ts';

export interface ToolAnswer {
  /** One sentence of ours; no telemetry in it. */
  summary: string;
  data: Record<string, unknown>;
  /** Adds to the redacted data what needs no redaction, being numbers, of which there are too many to look at each. */
  complete?: (data: Record<string, unknown>) => Record<string, unknown>;
  /** Stands for `data` where an answer is read as text. */
  text?: string;
}

/** What a tool is called with beside its arguments. */
export interface ToolCall extends RouteContext {
  /** Bytes of data that an answer may hold. */
  maxBytes: number;
  /** Who calls, by the API key; "mcp" without keys. */
  caller: string;
}

export interface Tool {
  name: string;
  title: string;
  description: string;
  role: Extract<AccessRole, 'read' | 'respond'>;
  input: z.ZodType;
  /** `input` is what the schema made of the arguments. */
  call: (context: ToolCall, input: unknown) => Promise<ToolAnswer>;
}

interface ToolDefinition<T extends z.ZodType> extends Omit<Tool, 'input' | 'call'> {
  input: T;
  call: (context: ToolCall, input: z.output<T>) => Promise<ToolAnswer>;
}

/** A tool whose function takes what its schema answers. */
export function defineTool<T extends z.ZodType>(definition: ToolDefinition<T>): Tool {
  return { ...definition, call: (context, input) => definition.call(context, input as z.output<T>) };
}
