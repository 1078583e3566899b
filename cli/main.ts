#!/usr/bin/env node
/**
 * The `icl` command: parses, runs, prints errors and exits. Data goes to stdout, everything for people to stderr.
 * Exit codes: 0 good, 1 failed, 2 wrong usage, 130 interrupted.
 */
import { CommanderError } from 'commander';
import { IclError } from '../models/errors.ts';
import { type CommandContext, INTERRUPTED } from './command.ts';
import { commands } from './commands.ts';
import { createProgram, type Invocation, run } from './program.ts';

function write(stream: NodeJS.WriteStream, content: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(content, () => resolve());
  });
}

function createContext(signal: AbortSignal): CommandContext {
  return {
    print: (line) => write(process.stdout, `${line}\n`),
    log: (line) => {
      process.stderr.write(`${line}\n`);
    },
    signal,
    isTerminal: process.stderr.isTTY === true,
  };
}

/** First Ctrl-C, or SIGTERM of a scheduler or container: the command saves what it has and ends by itself. Second: leave at once. */
function listenForInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort();
    });
  }
  return controller.signal;
}

function describe(error: unknown, isDebug: boolean): string {
  if (isDebug && error instanceof Error) {
    const lines = [error.stack ?? error.message];
    for (let cause = error.cause; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
      lines.push(`caused by ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
    }
    return lines.join('\n');
  }
  if (error instanceof IclError) return `error: ${error.message}`;
  const message = error instanceof Error ? error.message : String(error);
  return `error: ${message}\nThis was not foreseen. Run again with --debug and report what it prints.`;
}

async function main(argv: readonly string[]): Promise<number> {
  let invocation: Invocation | undefined;
  const program = createProgram(
    commands,
    { out: (content) => process.stdout.write(content), err: (content) => process.stderr.write(content) },
    (parsed) => {
      invocation = parsed;
    },
  );
  if (argv.length === 0) {
    program.outputHelp({ error: true });
    return 2;
  }
  const signal = listenForInterrupt();
  try {
    await program.parseAsync([...argv], { from: 'user' });
    if (invocation === undefined) return 2;
    return await run(invocation, createContext(signal));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (signal.aborted) {
      process.stderr.write('interrupted\n');
      return INTERRUPTED;
    }
    process.stderr.write(`${describe(error, argv.includes('--debug'))}\n`);
    return error instanceof IclError ? error.exitCode : 1;
  }
}

// A reader that has seen enough (`icl infer .. | head`) closes the pipe: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await main(process.argv.slice(2));
// Waits until both pipes are empty. A GPU adapter, once asked for, would keep the process alive, hence the exit.
await Promise.all([write(process.stdout, ''), write(process.stderr, '')]);
process.exit(code);
