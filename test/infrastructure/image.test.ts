import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { ALLOWED, COPIED, imageFiles } from './image-files.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { dependencies, devDependencies, engines } = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  engines: { node: string };
};

test('what a build sends to the engine is named one by one: no secret, no history', () => {
  assert.equal(
    read('.dockerignore')
      .split('\n')
      .find((line) => line !== '' && !line.startsWith('#')),
    '*',
  );
  assert.deepEqual(ALLOWED.toSorted(), COPIED.toSorted());
});

test('the image has no tests, and nothing in it imports what it does not have', () => {
  const files = new Set(imageFiles());
  assert.ok(files.has('bin/helios') && files.has('src/main.ts') && files.size > 100);
  for (const path of files) {
    if (!path.endsWith('.ts')) continue;
    for (const [, target = ''] of read(path).matchAll(/(?:^\} from|^import .*from|import\(|new URL\()\s*'(\.[^']+)'/gm)) {
      // A module in AssemblyScript leaves the extension out.
      const file = join(dirname(path), target);
      assert.ok(files.has(file) || files.has(`${file}.ts`), `${path} imports ${target}`);
    }
    for (const [, name = ''] of read(path).matchAll(
      /(?:^\} from|^import (?!type).*from|import\()\s*'((?!node:)[@a-z][^']*)'/gm,
    )) {
      const parts = name.split('/');
      const bare = parts.slice(0, name.startsWith('@') ? 2 : 1).join('/');
      assert.ok(bare in dependencies, `${path} imports ${bare}, which is not installed in production`);
    }
  }
});

test('the image runs the Node.js that the tests run on, as a user that is not root', () => {
  const dockerfile = read('Dockerfile');
  const version = /^ARG NODE_IMAGE=node:(\d+\.\d+\.\d+)-bookworm-slim$/m.exec(dockerfile)?.[1];
  assert.equal(version, devDependencies['node']);
  assert.equal(engines.node.replace('>=', '').split('.')[0], version?.split('.')[0]);
  assert.match(dockerfile, /^USER 1000:1000$/m);
  assert.match(dockerfile, /^RUN npm ci --omit=dev /m);
  assert.doesNotMatch(dockerfile, /\b(curl|apt-get|ADD)\b.*https?:/);
});
