import assert from 'node:assert/strict';
import test from 'node:test';
import { compareFigures, isEqual, readFigures } from '../../bench/replay-figures.ts';
import { REAL_EVENTS, realDays, replay } from '../../bench/replay-run.ts';
import { ServerProcess, temporaryDirectory } from '../../bench/server-process.ts';

const folder = process.env['HELIOS_TEST_DATA'];
const days = realDays(folder);
const required = (process.env['HELIOS_TEST_REQUIRE'] ?? '').split(',').includes('data');
const missing = folder === undefined ? 'HELIOS_TEST_DATA is not set' : 'HELIOS_TEST_DATA does not hold the real events';

test(
  'three days of real events are accepted line by line, and the API counts what the files hold',
  {
    skip: days === null && !required && missing,
  },
  async () => {
    assert.ok(days, missing);
    using directory = temporaryDirectory();
    await using server = await ServerProcess.start({ dataDir: directory.path, args: ['--clock', 'events'] });
    const files = days.map(({ events }) => events);
    const { accepted, rejected } = await replay(server.url, files);
    let lines = 0;
    for (const file of files) {
      const figures = await readFigures(file);
      const comparison = await compareFigures(server.url, figures);
      assert.ok(isEqual(comparison), JSON.stringify(comparison));
      lines += figures.lines;
    }
    assert.deepEqual({ lines, accepted, rejected }, { lines: REAL_EVENTS, accepted: REAL_EVENTS, rejected: 0 });
    assert.equal(await server.stop(), 0);
  },
);
