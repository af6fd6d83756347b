import type { Redactor } from '../../lib/redaction/redactor.ts';
import type { McpConfig } from './config.ts';

export interface McpDependencies {
  config: McpConfig;
  /** Everything that tools answer goes through it. */
  redactor: Redactor;
}
