// Writes the reference pages; test/docs.test.ts fails while they differ from the code.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from './reference-pages.ts';

for (const [path, text] of Object.entries(await referencePages())) writeFileSync(join(import.meta.dirname, '..', path), text);
