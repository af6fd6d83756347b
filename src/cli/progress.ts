import { SingleBar } from 'cli-progress';
import type { Clock } from '../lib/clock.ts';

/** Tells a person how far long work is. */
export interface Progress {
  /** `done` of `total` units; `note` is shown behind them. */
  update(done: number, note?: string): void;
  stop(): void;
}

export interface ProgressOptions {
  label: string;
  total: number;
  /** How `done` and `total` are written; plain numbers unless given. */
  format?: (value: number) => string;
  /** Shows nothing, for scripts. */
  quiet: boolean;
  stream: NodeJS.WritableStream & { isTTY?: boolean };
  clock: Clock;
}

const LINE_PERIOD_MS = 3000;

/** A bar when a person watches, a plain line every few seconds when not, nothing when quiet. */
export function startProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { update() {}, stop() {} };
  return options.stream.isTTY ? barProgress(options) : lineProgress(options);
}

function barProgress({ label, total, stream }: ProgressOptions): Progress {
  const bar = new SingleBar({
    stream,
    format: `${label} [{bar}] {percentage}% {note}`,
    clearOnComplete: true,
    hideCursor: false,
    gracefulExit: false,
    barsize: 30,
  });
  bar.start(Math.max(1, total), 0, { note: '' });
  return {
    update: (done, note = '') => bar.update(Math.min(done, total), { note }),
    stop: () => bar.stop(),
  };
}

function lineProgress({ label, total, format = String, stream, clock }: ProgressOptions): Progress {
  let lastMs = clock.monotonicMs();
  return {
    update(done, note = '') {
      const nowMs = clock.monotonicMs();
      if (nowMs - lastMs < LINE_PERIOD_MS) return;
      lastMs = nowMs;
      stream.write(`${label} ${format(done)} of ${format(total)}${note === '' ? '' : `, ${note}`}\n`);
    },
    stop() {},
  };
}
