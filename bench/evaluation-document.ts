import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCUMENT = join(import.meta.dirname, '..', 'EVALUATION.md');

/** Text with what stands between the marks of a section replaced. Throws when it has no such marks. */
export function withSection(text: string, name: string, body: string): string {
  const [open, close] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const from = text.indexOf(open);
  const to = text.indexOf(close);
  if (from < 0 || to < from) throw new Error(`cannot write section ${name}: its marks are missing`);
  return `${text.slice(0, from + open.length)}\n\n${body}\n\n${text.slice(to)}`;
}

/** Puts a generated part into EVALUATION.md. */
export function writeSection(name: string, body: string): void {
  writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), name, body));
}
