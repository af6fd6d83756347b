import { RESERVED_VARIABLES } from './environment.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';

const INTRODUCTION = `# Configuration

Generated from the schema by \`npm run docs\`; do not edit.

Values come from, the later winning over the earlier: defaults, the file (\`helios.yaml\` in the current directory, or the one that
\`--config FILE\` names), environment variables, flags (\`--port 9000\`, and for every key \`--set log.segment_size=32MiB\`).
\`helios config check\` says what is wrong, with file, line and column; \`helios config print\` shows the effective values and where each
came from.

- A duration is \`250ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`7d\` or \`2w\`; a bare number is milliseconds; \`none\` is without end.
- A size is \`512KiB\`, \`64MiB\` or \`1GB\`; a bare number is bytes; \`none\` is without limit.
- A list in a variable or flag is separated by commas, or written as in YAML: \`[a, b]\`.
- A key that the file or a flag names and that does not exist is an error; an unknown \`HELIOS_*\` variable is a warning.
- Where a key has two variables, the one that begins with \`HELIOS_\` wins.
- What is marked secret is printed as \`***\`, and is also read from the file that the variable with \`_FILE\` at its end names.
`;

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}

function row(key: ConfigKey): string {
  const fallback =
    key.fallback === undefined
      ? key.environment === null
        ? ''
        : 'not set'
      : `\`${JSON.stringify(key.fallback).replaceAll('"', '')}\``;
  const variables = key.environment === null ? [] : [key.environment, ...key.aliases];
  const variable = variables.map((name) => `\`${name}\``).join(', ');
  const description = key.secret && key.environment === null ? `${key.description} (secret)` : key.description;
  return `| \`${key.key}\` | ${cell(key.type)} | ${cell(fallback)} | ${variable} | ${cell(description)} |`;
}

/** docs/configuration.md: every key with its type, default, environment variable and meaning. */
export function configurationReference(): string {
  const sections = Map.groupBy(CONFIG_KEYS, (key) =>
    key.path.length > 1 && !key.path[0]?.endsWith('[]') ? (key.path[0] as string) : '',
  );
  const head = '| key | type | default | variable | meaning |\n| --- | --- | --- | --- | --- |';
  const tables = [...sections].map(
    ([name, keys]) => `## ${name === '' ? 'Top level' : `\`${name}\``}\n\n${head}\n${keys.map(row).join('\n')}\n`,
  );
  return `${INTRODUCTION}
${tables.join('\n')}
## Names kept for later

These variables are known and have no effect in this version: ${RESERVED_VARIABLES.map((name) => `\`${name}\``).join(', ')}.
The commands that talk to a running HELIOS read \`HELIOS_URL\`, \`HELIOS_KEY\` and \`HELIOS_KEY_FILE\`.
`;
}
