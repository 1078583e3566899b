/** `icl train`: fits a study's model, then exports and verifies it. */
import { UsageError } from '../models/errors.ts';
import { deviceNames, engineNames, exactEngine } from '../train/engine-table.ts';
import { defineCommand, INTERRUPTED, number, option, positiveNumber, text, toggle, wholeNumber } from './command.ts';
import { startProgress } from './progress.ts';
import { oneOf, setOption, verifyOption } from './shared-options.ts';
import { formatNumber } from './table.ts';

/** What only matters where parameters are trained step by step. */
const descentOptions = [
  'steps',
  'optimizer',
  'learningRate',
  'momentum',
  'weightDecay',
  'schedule',
  'clipNorm',
  'init',
  'checkpointEvery',
] as const;

export const train = defineCommand({
  name: 'train',
  summary: "fit a study's model, then export and verify it",
  description:
    'Fit the model of a study (or of a config.json) into a run folder, export it as model.onnx and verify it. ' +
    'Ctrl-C saves a checkpoint; --resume continues bit for bit where the last checkpoint stands.',
  arguments: [{ name: '<study>', description: 'a study, such as zhang2023, or the config.json of a run' }],
  options: {
    set: setOption,
    out: option('--out <folder>', 'the run folder', text),
    resume: toggle('--resume', 'continue from the checkpoint in the run folder'),
    steps: option('--steps <n>', "optimizer steps (default: the study's)", wholeNumber('--steps', 1)),
    batch: option('--batch <n>', "fresh prompts per step (default: the study's)", wholeNumber('--batch', 1)),
    seed: option('--seed <n>', 'seed of the start and of all prompts (default: 0)', wholeNumber('--seed', 0)),
    optimizer: option('--optimizer <name>', "sgd, adam or adamw (default: the study's)", text),
    learningRate: option(
      '--learning-rate <r>',
      "learning rate at its height (default: the study's)",
      positiveNumber('--learning-rate'),
    ),
    momentum: option('--momentum <m>', "of sgd (default: the study's)", number('--momentum')),
    weightDecay: option('--weight-decay <w>', "of adamw (default: the study's)", number('--weight-decay')),
    schedule: option(
      '--schedule <name>',
      "how the learning rate changes: constant, cosine or step (default: the study's)",
      text,
    ),
    clipNorm: option(
      '--clip-norm <n>',
      "largest norm of the gradient, or none (default: the study's)",
      positiveNumber('--clip-norm', 'none'),
    ),
    init: option('--init <scheme>', "how parameters start (default: the study's)", text),
    engine: option(
      '--engine <e>',
      `what fits: ${engineNames.join(', ')}, ${exactEngine} (solves, where the study can) or auto (default: auto)`,
      oneOf('--engine', [...engineNames, exactEngine, 'auto']),
    ),
    device: option(
      '--device <d>',
      `where: ${deviceNames.join(', ')} or auto (default: auto)`,
      oneOf('--device', [...deviceNames, 'auto']),
    ),
    checkpointEvery: option(
      '--checkpoint-every <n>',
      "steps between checkpoints (default: the study's)",
      wholeNumber('--checkpoint-every', 1),
    ),
    verify: verifyOption,
  },
  examples: [
    'icl train zhang2023 --set d=5,N=20 --out runs/first',
    'icl train zhang2023 --set d=20,N=40 --steps 6000 --device webgpu --out runs/large',
    'icl train zhang2023 --set d=5,N=20 --out runs/first --resume',
  ],
  async run([studyOrConfig], options, context) {
    if (options.out === undefined || options.out === '') {
      throw new UsageError({
        where: '--out',
        expected: 'a run folder',
        got: 'nothing',
        remedy: 'For example: --out runs/first.',
      });
    }
    const { resolveRun, trainAndExport } = await import('../studies/run-study.ts');
    const { resumeCommand } = await import('../train/run-folder.ts');
    const config = resolveRun(studyOrConfig!, options.set, {
      steps: options.steps,
      batch: options.batch,
      seed: options.seed,
      optimizer: options.optimizer,
      learningRate: options.learningRate,
      momentum: options.momentum,
      weightDecay: options.weightDecay,
      schedule: options.schedule,
      clipNorm: options.clipNorm === 'none' ? null : options.clipNorm,
      init: options.init,
      engine: options.engine,
      device: options.device,
      checkpointEvery: options.checkpointEvery,
    });
    const progress = startProgress(context, 'train', config.steps);
    try {
      const result = await trainAndExport({
        config,
        folder: options.out,
        resume: options.resume,
        verifyProviders: options.verify,
        signal: context.signal,
        onProgress: ({ step, loss, secondsLeft, promptsPerSecond }) =>
          progress.update(
            step,
            `${Number.isNaN(loss) ? '' : `loss ${formatNumber(loss)}  `}${Math.round(promptsPerSecond)} prompts/s  ${Math.ceil(secondsLeft)} s left`,
          ),
      });
      progress.stop();
      if (result.interrupted) {
        context.log(`interrupted at step ${result.steps}; continue with: ${resumeCommand(options.out)}`);
        return INTERRUPTED;
      }
      if (result.wasFinished) context.log('the run had all its steps already: exported and verified again');
      const unused = descentOptions.filter((key) => options[key] !== undefined);
      if (result.engine === exactEngine && unused.length > 0) {
        const flags = unused.map((key) => train.options[key]!.flags.split(' ')[0]);
        context.log(`not used: ${flags.join(', ')}. This model is solved for exactly; to train it: --engine onnx`);
      }
      const summary = {
        run: options.out,
        model: result.model,
        steps: result.steps,
        loss: result.loss,
        engine: result.engine,
        device: result.device,
        seconds: result.seconds,
        promptsPerSecond: result.promptsPerSecond,
      };
      if (options.json) await context.print(JSON.stringify(summary));
      else {
        const how =
          result.engine === exactEngine
            ? 'solved exactly'
            : `after ${result.steps} steps with ${result.engine} on ${result.device}`;
        await context.print(
          `${result.model}: loss ${formatNumber(result.loss)} ${how} in ${result.seconds.toFixed(1)} s`,
        );
        for (const { provider, maxRelative, ok } of result.parity) {
          await context.print(
            `verified on ${provider}: worst relative error ${formatNumber(maxRelative)}${ok ? '' : ' FAILED'}`,
          );
        }
      }
      return result.parity.every(({ ok }) => ok) ? 0 : 1;
    } catch (error) {
      if (!context.signal.aborted) throw error;
      progress.stop();
      context.log(`interrupted; continue with: ${resumeCommand(options.out)}`);
      return INTERRUPTED;
    } finally {
      progress.stop();
    }
  },
});
