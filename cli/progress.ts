/**
 * Progress on stderr: a bar on a terminal, a plain line every ten seconds elsewhere, nothing on stdout.
 */
import { type Bar, Presets, SingleBar } from 'cli-progress';
import type { CommandContext } from './command.ts';

const SECONDS_BETWEEN_LINES = 10;

export interface Progress {
  update(done: number, detail: string): void;
  stop(): void;
}

/** A progress display over `total` units; `total` undefined: only counts. */
export function startProgress(context: CommandContext, label: string, total: number | undefined): Progress {
  return context.isTerminal && total !== undefined ? startBar(label, total) : startLines(context, label, total);
}

function startBar(label: string, total: number): Progress {
  const bar: Bar = new SingleBar(
    {
      format: `${label} {bar} {percentage}% {value}/{total}  {detail}`,
      stream: process.stderr,
      hideCursor: true,
      barsize: 24,
      clearOnComplete: false,
      fps: 10,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { detail: '' });
  return {
    update: (done, detail) => bar.update(done, { detail }),
    stop: () => bar.stop(),
  };
}

function startLines(context: CommandContext, label: string, total: number | undefined): Progress {
  let last = performance.now();
  return {
    update(done, detail) {
      const now = performance.now();
      if (now - last < SECONDS_BETWEEN_LINES * 1000) return;
      last = now;
      context.log(`${label}: ${done}${total === undefined ? '' : ` of ${total}`}  ${detail}`);
    },
    stop() {},
  };
}
