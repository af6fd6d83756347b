import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { formatTable } from './table.ts';

/** Runs the command line in this process. */
async function run(...args: string[]): Promise<{ out: string; errors: string; error: unknown }> {
  const out: string[] = [];
  const errors: string[] = [];
  const program = createProgram({
    version: '1.2.3',
    signal: new AbortController().signal,
    print: (line) => void out.push(line),
    warn: (line) => void errors.push(line),
  });
  let error: unknown = null;
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    error = thrown;
  }
  return { out: out.join('\n'), errors: errors.join('\n'), error };
}

test('--version prints the version and nothing else', async () => {
  const { out, error } = await run('--version');
  assert.equal(out, '1.2.3');
  assert.equal((error as CommanderError).exitCode, 0);
});

test('a misspelled command or flag is a usage error that names the nearest one', async () => {
  const command = await run('incidnets');
  assert.ok(command.error instanceof CommanderError);
  assert.match(command.errors, /Did you mean incidents\?/);
  const flag = await run('config', 'check', '--prt', '1');
  assert.ok(flag.error instanceof CommanderError);
  assert.match(flag.errors, /Did you mean --port\?/);
});

test('every command has a description, and help lists it', async () => {
  const { out } = await run('help');
  const program = createProgram({ version: '', signal: new AbortController().signal, print: () => {}, warn: () => {} });
  for (const command of program.commands) {
    assert.notEqual(command.description(), '', command.name());
    assert.ok(out.includes(command.name()));
  }
});

test('config check accepts flags of every kind and names what is wrong', async () => {
  const good = await run(
    'config',
    'check',
    '--port',
    '0',
    '--data-dir',
    tmpdir(),
    '--insecure',
    '--set',
    'log.segment_size=1MiB',
  );
  assert.match(good.out, /^the configuration is valid: 4 of \d+ keys set/);
  const bad = await run('config', 'check', '--set', 'log.sizes=1', '--config', join(tmpdir(), 'none.yaml'));
  assert.match((bad.error as Error).message, /there is no such file$/);
});

test('config print shows the values of flags, config docs the reference', async () => {
  assert.match((await run('config', 'print', '--log-level', 'debug')).out, /^log_level: debug # --log-level$/m);
  assert.match(
    (await run('config', 'docs')).out,
    /^\| `log\.segment_size` \| a size \| `64MiB` \| `HELIOS_LOG_SEGMENT_SIZE` \|/m,
  );
});

test('a server that is not there is told with the way to start it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { error } = await run('incidents', '--url', `http://127.0.0.1:${port}`);
  assert.match((error as Error).message, /nothing listens there \(start it with "helios serve"/);
});

test('a table pads its columns and keeps line ends out of cells', () => {
  assert.equal(formatTable(['A', 'LONG'], [['one\ntwo', 'x']]), 'A        LONG\none two  x');
});
