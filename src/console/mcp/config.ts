import { z } from 'zod';
import { size } from '../../lib/config-types.ts';

export const mcpConfigSchema = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'Serves the Model Context Protocol at /mcp of the console' }),
  max_answer: size('64KiB').meta({ description: 'Most data that one answer of a tool holds; what is longer is cut and says so' }),
});
export type McpConfig = z.output<typeof mcpConfigSchema>;
