/** All commands, in the order of the help. Each loads what it needs only when it runs. */
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { evaluate } from './evaluate.ts';
import { exportCommand } from './export.ts';
import { infer } from './infer.ts';
import { inspect } from './inspect.ts';
import { list } from './list.ts';
import { reproduce } from './reproduce.ts';
import { serve } from './serve.ts';
import { theory } from './theory.ts';
import { train } from './train.ts';
import { verify } from './verify.ts';

export const commands: readonly Command[] = [
  doctor,
  list,
  theory,
  train,
  exportCommand,
  verify,
  inspect,
  infer,
  evaluate,
  reproduce,
  serve,
];
