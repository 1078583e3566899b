/** Builds the command line from the commands' data. Parses; prints nothing by itself and never exits. */
import { Command as CommanderCommand, Option as CommanderOption } from 'commander';
import { version } from '../models/version.ts';
import type { Command, CommandContext } from './command.ts';
import { commonOptions } from './command.ts';

export interface ProgramOutput {
  out(text: string): void;
  err(text: string): void;
}

/** What a parsed command line asks for: run it to get the exit code. */
export interface Invocation {
  readonly command: Command;
  readonly positional: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * @returns a commander program that hands the parsed invocation to `onInvoke`.
 * Throws commander's own errors on wrong usage, and on `--help` and `--version` after writing them.
 */
export function createProgram(
  commands: readonly Command[],
  output: ProgramOutput,
  onInvoke: (invocation: Invocation) => void,
): CommanderCommand {
  const program = new CommanderCommand('icl')
    .description(
      'Train the attention models of in-context-learning theory, freeze them as ONNX, run them, and measure where they break.',
    )
    .version(version, '-v, --version')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeOut: output.out, writeErr: output.err });
  for (const command of commands) program.addCommand(createSubcommand(command, output, onInvoke));
  return program;
}

function createSubcommand(
  command: Command,
  output: ProgramOutput,
  onInvoke: (invocation: Invocation) => void,
): CommanderCommand {
  const subcommand = new CommanderCommand(command.name)
    .summary(command.summary)
    .description(command.description ?? `${command.summary[0]!.toUpperCase()}${command.summary.slice(1)}.`)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: output.out, writeErr: output.err });
  for (const argument of command.arguments) subcommand.argument(argument.name, argument.description);
  for (const definition of Object.values({ ...command.options, ...commonOptions })) {
    const option = new CommanderOption(definition.flags, definition.description);
    const { parse } = definition;
    if (parse !== undefined) {
      option.argParser((value: string, previous: unknown) =>
        definition.isRepeatable ? [...(previous as unknown[]), parse(value)] : parse(value),
      );
    }
    if (definition.initial !== undefined && definition.initial !== false) {
      const isEmptyList = Array.isArray(definition.initial) && definition.initial.length === 0;
      option.default(definition.initial, isEmptyList ? 'none' : definition.shownDefault);
    } else if (definition.shownDefault !== undefined) {
      // Commander shows no default of an option whose value is undefined.
      option.description = `${definition.description} (default: ${definition.shownDefault})`;
    }
    subcommand.addOption(option);
  }
  if (command.examples.length > 0) {
    subcommand.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
  }
  subcommand.action((...values: unknown[]) => {
    const positional = values.slice(0, command.arguments.length).filter((value) => value !== undefined) as string[];
    const given = subcommand.opts() as Record<string, unknown>;
    const initial = Object.fromEntries(
      Object.entries({ ...command.options, ...commonOptions }).map(([key, definition]) => [key, definition.initial]),
    );
    onInvoke({ command, positional, options: { ...initial, ...given } });
  });
  return subcommand;
}

/** Runs an invocation and gives its exit code. */
export function run(invocation: Invocation, context: CommandContext): Promise<number> {
  return invocation.command.run(invocation.positional, invocation.options as never, context);
}
