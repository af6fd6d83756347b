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

/** What stands between the marks of a section. */
export function sectionOf(text: string, name: string): string {
  const [open, close] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  return text.slice(text.indexOf(open) + open.length, text.indexOf(close)).trim();
}

/** A body of parts under headings of the third level, in which parts are put in place of those with the same heading, or added. */
export function withParts(body: string, parts: ReadonlyMap<string, string>): string {
  const known = body.split(/^(?=### )/m).filter((part) => part.startsWith('### '));
  const all = new Map(known.map((part) => [part.slice(4, part.indexOf('\n')), part.trim()]));
  for (const [heading, text] of parts) all.set(heading, `### ${heading}\n\n${text}`);
  return [...all.keys()]
    .sort()
    .map((heading) => all.get(heading) as string)
    .join('\n\n');
}

/** Puts a generated part into EVALUATION.md. */
export function writeSection(name: string, body: (before: string) => string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  writeFileSync(DOCUMENT, withSection(text, name, body(sectionOf(text, name))));
}
