import { describe, expect, test } from 'vitest';
import { commands } from '../../cli/commands.ts';
import { runIcl } from './run-icl.ts';

describe('help', () => {
  test('of the program', async () => {
    const { code, stdout, stderr } = await runIcl(['--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    await expect(stdout).toMatchFileSnapshot('../golden/help/icl.txt');
  });

  test.each(commands.map(({ name }) => name))('of %s', async (name) => {
    const { code, stdout } = await runIcl([name, '--help']);
    expect(code).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`../golden/help/${name}.txt`);
  });

  test('is shown on stderr, with exit code 2, when nothing is asked', async () => {
    const { code, stdout, stderr } = await runIcl([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: icl');
  });
});

test('the key of every option is the name of its flag', () => {
  for (const command of commands) {
    for (const [key, { flags }] of Object.entries(command.options)) {
      const long = /--([a-z-]+)/.exec(flags)![1]!;
      const camelCase = long.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      expect(`${command.name} ${key}`).toBe(`${command.name} ${camelCase}`);
    }
  }
});

/** argv, exit code, what stderr must say. */
const wrongUsage: readonly (readonly [argv: string, message: string])[] = [
  ['trian zhang2023', "unknown command 'trian'\n(Did you mean train?)"],
  ['theory zhang2023 --sett d=5', "unknown option '--sett'\n(Did you mean --set?)"],
  ['theory', "missing required argument 'study'"],
  ['theory zhang2032', 'Did you mean zhang2023?'],
  ['theory zhang2023 extra', 'too many arguments'],
  ['theory zhang2023 --set D=5', 'expected one of d, N, M, covariance, noiseVariance, gpt, got "D". Did you mean d?'],
  ['theory zhang2023 --set d=x', 'got "x"'],
  ['theory zhang2023 --set d=2.5', 'got "2.5"'],
  ['theory zhang2023 --set d=0', 'got "0"'],
  ['theory zhang2023 --set d', '--set'],
  ['theory zhang2023 --set noiseVariance=-1', '-1'],
  ['theory zhang2023 --set d=3,covariance=[1,2]', 'expected 3 dimensions, got 2'],
  ['theory zhang2023 --set covariance=identitty', 'identitty'],
  ['theory zhang2023 --set d=2,covariance=[[1,2],[2,1]]', 'positive definite'],
  ['train zhang2023', '--out'],
  ['train zhang2023 --out=', '--out: expected a run folder'],
  ['train zhang2023 --out x --steps 0', '--steps'],
  ['train zhang2023 --out x --steps 1e99', '--steps'],
  ['train zhang2023 --out x --optimizer adem', 'Did you mean adam?'],
  ['train zhang2023 --out x --device gpu', 'gpu'],
  ['train zhang2023 --out x --engine torch', 'torch'],
  ['train zhang2023 --out x --seed -1', '--seed'],
  ['train zhang2023 --out x --engine onx', '--engine: expected one of onnx, tfjs, exact, auto, got "onx"'],
  ['train zhang2023 --out x --seed 1e99', '--seed: expected a whole number of at most 9007199254740991, got "1e99"'],
  ['train zhang2023 --out x --init papr', '--init: expected one of paper, generic, got "papr". Did you mean paper?'],
  ['train zhang2023 --out x --verify foo', '--verify: expected one of cpu, cuda, webgpu, wasm, auto, got "foo"'],
  ['train zhang2023 --out x --schedule cosin', '--schedule: expected one of constant, cosine, step, got "cosin"'],
  ['train zhang2023 --out x --clip-norm 0', '--clip-norm: expected a number above 0, or none, got "0"'],
  [
    'train zhang2023 --out x --momentum 0.9',
    '--momentum: expected an optimizer that has it: sgd, got adam. Add --optim',
  ],
  ['train zhang2023 --out x --optimizer sgd --momentum 1', 'momentum: expected a number from 0 to below 1, got 1'],
  ['train zhang2023 --out x --weight-decay x', '--weight-decay: expected a number, got "x"'],
  ['serve --port 65536', '--port: expected a whole number, 0 to 65535, got "65536"'],
  ['serve --port 41.5', 'got "41.5"'],
  ['serve dist', 'too many arguments'],
  ['reproduce all --set d=5', '--set: expected the name of one study, got all'],
  ['reproduce all length', 'reproduce .. length: expected the name of one study'],
  ['reproduce zhang2023 --results x.md', '--results: expected the word all as the study'],
  ['reproduce zhang2023 lenght', 'Did you mean length?'],
  ['verify m.onnx --provider gpu', 'expected one of cpu, cuda, webgpu, wasm, auto, got "gpu"'],
  ['infer m.onnx', '--prompts'],
  ['infer m.onnx --prompts x --format xml', 'xml'],
  ['evaluate m.onnx --shift covariate-scal=2', 'Did you mean covariate-scale?'],
  ['evaluate m.onnx --shift covariate-scale=big', 'big'],
  ['evaluate m.onnx --suite everything', 'everything'],
  ['evaluate m.onnx --lengths 5,,10', '--lengths'],
  ['export run --opset 12', 'expected 17 or 21, got "12"'],
  ['reproduce zhang2023 lenght', 'length'],
];

describe('wrong usage exits 2, says what is wrong and prints no stack', () => {
  test.each(wrongUsage)('icl %s', async (argv, message) => {
    const { code, stdout, stderr } = await runIcl(argv.split(' '));
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
