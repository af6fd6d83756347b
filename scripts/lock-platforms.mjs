// Completes package-lock.json with optional platform packages that a partial registry mirror lacks;
// `npm ci` refuses a lock file in which they are missing.
import { readFileSync, writeFileSync } from 'node:fs';

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));

function libcOf(name) {
  if (name.includes('musl')) return ['musl'];
  return name.includes('gnu') ? ['glibc'] : undefined;
}

function complete(parent) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    const words = name.split(/[-/]/);
    const os = words.find((word) => systems.includes(word));
    const known = lock.packages[path];
    if (!os || !/^\d/.test(version) || known?.integrity || known?.version === version) continue;
    const cpu = words[words.indexOf(os) + 1].replace(/^armv7$/, 'arm');
    const libc = libcOf(name);
    lock.packages[path] = {
      version,
      cpu: [cpu],
      ...(parent.dev && { dev: true }),
      ...(libc && { libc }),
      optional: true,
      os: [os],
    };
  }
}

for (const parent of Object.values(lock.packages)) complete(parent);
const [root, ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([root, ...rest.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
