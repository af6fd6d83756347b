import type { CallToolResult, Tool as ToolDescription } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { HeliosError, problemOf } from '../../lib/errors.ts';
import { nearestName } from '../../lib/nearest.ts';
import type { Redactor } from '../../lib/redaction/redactor.ts';
import type { RouteContext } from '../app.ts';
import { mcpCalls } from '../metrics.ts';
import { validationError } from '../validation.ts';
import { boundedData, shortLists } from './bounded-data.ts';
import type { McpConfig } from './config.ts';
import { fenced, visibleJson } from './fence.ts';
import type { Tool, ToolAnswer, ToolCall } from './tool.ts';

export interface ToolDeskOptions {
  context: RouteContext;
  tools: readonly Tool[];
  config: McpConfig;
  redactor: Redactor;
}

/** Who calls a tool. */
export interface ToolCaller {
  id: string;
  /** Throws `forbidden` unless the key has the role. */
  allow: (role: Tool['role']) => void;
}

/** Names that stay as they are: what the next question has to be asked with. */
const NAME_KEYS = new Set(['service', 'services', 'version', 'previousVersion']);
/** What the monitored systems themselves have named: a key "service" in there may hold anything. */
const FOREIGN_KEYS = new Set(['metadata', 'labels']);

function* namesIn(value: unknown, key = ''): Iterable<string> {
  if (typeof value === 'string') {
    if (NAME_KEYS.has(key)) yield value;
  } else if (Array.isArray(value)) {
    for (const item of value) yield* namesIn(item, key);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) if (!FOREIGN_KEYS.has(name)) yield* namesIn(inner, name);
  }
}

function describe({ name, title, description, role, input }: Tool): ToolDescription {
  const inputSchema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as ToolDescription['inputSchema'];
  const isRead = role === 'read';
  const annotations = { title, readOnlyHint: isRead, destructiveHint: false, idempotentHint: true, openWorldHint: false };
  return { name, title, description, inputSchema, annotations };
}

/** Calls tools and makes what they answer fit to leave the house: redacted, bounded, fenced. */
export class ToolDesk {
  readonly descriptions: readonly ToolDescription[];
  readonly #options: ToolDeskOptions;
  readonly #tools: ReadonlyMap<string, Tool>;
  #failures = 0;

  constructor(options: ToolDeskOptions) {
    this.#options = options;
    this.#tools = new Map(options.tools.map((tool) => [tool.name, tool]));
    this.descriptions = options.tools.map(describe);
  }

  /** The nearest name of a tool to one that there is not; null when none is near. */
  nearest(name: string): string | null {
    return nearestName(name, [...this.#tools.keys()]);
  }

  has(name: string): boolean {
    return this.#tools.has(name);
  }

  /** Never rejects: what goes wrong is an answer, so that whoever asked can ask better. */
  async call(name: string, input: unknown, caller: ToolCaller): Promise<CallToolResult> {
    const { metrics } = this.#options.context;
    const tool = this.#tools.get(name) as Tool;
    try {
      const answer = this.#answer(await this.#run(tool, input ?? {}, caller));
      metrics.add(mcpCalls, 1, { tool: name, outcome: 'ok' });
      return answer;
    } catch (error) {
      const known = this.#known(error, name);
      metrics.add(mcpCalls, 1, { tool: name, outcome: known.code });
      return this.#refusal(known);
    }
  }

  async #run(tool: Tool, input: unknown, caller: ToolCaller): Promise<ToolAnswer> {
    caller.allow(tool.role);
    const parsed = tool.input.safeParse(input, { reportInput: true });
    if (!parsed.success) throw validationError(parsed.error, tool.input, 'arguments');
    const { context, config } = this.#options;
    const call: ToolCall = { ...context, maxBytes: config.max_answer, caller: caller.id === '' ? 'mcp' : caller.id };
    return tool.call(call, parsed.data);
  }

  #answer({ summary, data: found, complete, text }: ToolAnswer): CallToolResult {
    const { redactor, config } = this.#options;
    // A cursor is ours, and must come back as it went out.
    const { nextCursor, ...rest } = found;
    const lists = shortLists(rest, config.max_answer);
    const session = redactor.open({ keep: namesIn(lists.data) });
    // Texts are redacted whole: half a secret might not be seen as one.
    const redacted = session.redactDeep({ data: lists.data, text: text ?? null });
    const whole = complete ? complete(redacted.data) : redacted.data;
    const { data, isCut: isShorter } = boundedData(whole, config.max_answer);
    const isCut = isShorter || lists.isCut;
    const shown = { ...data, ...(nextCursor === undefined ? {} : { nextCursor }), ...(isCut ? { truncated: true } : {}) };
    const short = boundedData({ text: redacted.text ?? visibleJson(shown) }, config.max_answer);
    const note = isCut || short.isCut ? ' It was too long and is cut; ask for less, such as a shorter range or one service.' : '';
    return {
      content: [{ type: 'text', text: `${summary}${note}\n${fenced(short.data.text)}` }],
      structuredContent: shown,
    };
  }

  #refusal(error: HeliosError): CallToolResult {
    const problem = this.#options.redactor.open().redactDeep(problemOf(error));
    return { isError: true, content: [{ type: 'text', text: `${problem.code}: ${problem.detail}` }], structuredContent: problem };
  }

  /** What nobody foresaw, and what could not be redacted, is logged under an id, and only the id is told. */
  #known(error: unknown, tool: string): HeliosError {
    if (error instanceof HeliosError && error.code !== 'internal') return error;
    const id = `mcp-${++this.#failures}`;
    const stack = error instanceof Error ? error.stack : String(error);
    this.#options.context.logger.error('tool failed', { id, tool, error: stack });
    return new HeliosError('internal', `cannot answer: an unexpected failure; the log has it under ${id}`, { details: { id } });
  }
}
