/** Text for `addHelpText('after', …)`: command lines that work as they are, or with the file or id of the reader. */
export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}
