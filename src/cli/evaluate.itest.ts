import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createProgram } from './program.ts';

test('helios evaluate prints JSON, and writes verdicts when asked to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'helios-evaluate-'));
  try {
    const rows = Array.from({ length: 200 }, (_, i) => `${new Date(i * 60_000).toISOString()},${i % 7},${i === 150 ? 1 : 0}`);
    writeFileSync(join(folder, 'a.csv'), `TimeStamp,Value,Label\n${rows.join('\n')}\n`);
    const out: string[] = [];
    const [print, warn] = [(line: string) => void out.push(line), (): void => {}];
    const program = createProgram({ version: '1', signal: new AbortController().signal, print, warn });
    const verdicts = join(folder, 'verdicts.out');
    await program.parseAsync(['evaluate', folder, '--baseline', 'n-sigma', '--budget', '0.1', '--json', '--verdicts', verdicts], {
      from: 'user',
    });
    const report = JSON.parse(out.join('')) as { detector: string; falseAlarmBudget: number; sets: { layout: string }[] };
    assert.deepEqual([report.detector, report.falseAlarmBudget, report.sets[0]?.layout], ['n-sigma', 0.1, 'labelled series']);
    assert.equal(readFileSync(verdicts, 'utf8').trim().split('\n').length, 201);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
