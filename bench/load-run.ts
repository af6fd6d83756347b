import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadArguments, loadOptions } from './load-options.ts';
import type { LoadOptions } from './load-options.ts';
import type { LoadReport, LoadResult } from './load-result.ts';

/** Runs the load client in a process of its own; `onReport` hears every `reportSeconds`. */
export async function runLoad(
  partial: Partial<LoadOptions> & { url: string },
  onReport: (report: LoadReport) => void = () => {},
): Promise<LoadResult> {
  const args = loadArguments(loadOptions(partial));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load-client.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = (): boolean => child.kill('SIGKILL');
  process.once('exit', stop);
  const [result, [code]] = await Promise.all([readLines(child, onReport), once(child, 'exit') as Promise<[number | null]>]);
  process.off('exit', stop);
  if (code !== 0 || result === null) throw new Error(`the load client ended with ${code}`);
  return result;
}

/** The result; what comes before it are reports. */
async function readLines({ stdout }: ChildProcess, onReport: (report: LoadReport) => void): Promise<LoadResult | null> {
  let result: LoadResult | null = null;
  if (stdout === null) return result;
  for await (const text of createInterface(stdout)) {
    const line = JSON.parse(text) as LoadReport | LoadResult;
    if ('measuredSeconds' in line) result = line;
    else onReport(line);
  }
  return result;
}

export interface Sink extends AsyncDisposable {
  url: string;
  grpcUrl: string;
}

/** The baseline: bare node:http and node:http2 servers in a process of its own that keep nothing of what they are sent. */
export async function startSink(): Promise<Sink> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load-sink.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    ...(JSON.parse(line) as { url: string; grpcUrl: string }),
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit');
      child.stdin.end();
      await exit;
    },
  };
}
