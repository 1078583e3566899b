import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSafetensors, serializeSafetensors } from '../../export/safetensors.ts';
import { type InferFileOptions, inferFile } from '../../infer/infer-file.ts';
import { createFakeSession, type FakeOptions } from './fake-session.ts';

const dimension = 2;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const session = (options: Partial<FakeOptions> = {}) => createFakeSession({ dimension, factor: 1, ...options });

/** One pair x = (1, 0), y = i, and the query (1, 1): the answer is i. */
const prompt = (i: number) => `{"covariates":[[1,0]],"responses":[${i}],"query":[1,1]}\n`;
const promptWithList = (i: number) => `{"covariates":[[1,0]],"responses":[${i}],"query":[[1,1],[2,0]]}\n`;
const prompts = (count: number) => Array.from({ length: count }, (_, i) => prompt(i)).join('');
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

/** A standard output that keeps what it gets. */
function collector(): { stdout: Writable; text: () => string } {
  const parts: Buffer[] = [];
  const stdout = new Writable({
    highWaterMark: 16,
    write(chunk: Buffer, _, done) {
      parts.push(chunk);
      setImmediate(done);
    },
  });
  return { stdout, text: () => Buffer.concat(parts).toString() };
}

/** From standard input to standard output. */
async function pipe(text: string, options: Partial<InferFileOptions> = {}): Promise<string> {
  const { stdout, text: written } = collector();
  await inferFile({ session: session(), input: '-', output: '-', stdin: Readable.from([text]), stdout, ...options });
  return written();
}

describe('inferFile', () => {
  it('answers every prompt in its order: a number for a point, a list for a list', async () => {
    const text = prompt(3) + promptWithList(4) + promptWithList(5) + prompt(6);
    expect(await pipe(text)).toBe('{"prediction":3}\n{"prediction":[4,8]}\n{"prediction":[5,10]}\n{"prediction":6}\n');
  });

  it('writes a file, says what it did and shows progress', async () => {
    writeFileSync(at('in.jsonl'), prompts(10) + promptWithList(10));
    const progress: unknown[] = [];
    const result = await inferFile({
      session: session(),
      input: at('in.jsonl'),
      output: at('out.jsonl'),
      batch: 4,
      onProgress: ({ prompts: done, bytesRead, totalBytes }) => progress.push([done, bytesRead === totalBytes]),
    });
    expect(result).toMatchObject({ prompts: 11, predictions: 12, isCutShort: false });
    expect(result.seconds).toBeGreaterThan(0);
    expect(progress.map((entry) => (entry as [number])[0])).toEqual([4, 8, 10, 11]);
    expect(progress.at(-1)).toEqual([11, true]);
    expect(lines(readFileSync(at('out.jsonl'), 'utf8'))).toEqual([
      ...Array.from({ length: 10 }, (_, i) => ({ prediction: i })),
      { prediction: [10, 20] },
    ]);
    expect(readdirSync(folder).sort()).toEqual(['in.jsonl', 'out.jsonl']);
  });

  it('writes the prefixes that were asked for', async () => {
    const text = '{"covariates":[[1,0],[1,0]],"responses":[1,2],"query":[1,1]}\n';
    const options = { session: session({ hasPrefixes: true }), prefixes: true };
    expect(await pipe(text, options)).toBe('{"prediction":1.5,"prefixPrediction":[0,1,1.5]}\n');
    expect(lines(await pipe(promptWithList(3), options))).toEqual([
      {
        prediction: [3, 6],
        prefixPrediction: [
          [0, 0],
          [3, 6],
        ],
      },
    ]);
    await inferFile({ input: '-', output: at('o.safetensors'), stdin: Readable.from([text]), ...options });
    const { tensors } = readSafetensors('o', readFileSync(at('o.safetensors')));
    expect(tensors['prefix_prediction']).toEqual({ shape: [1, 3], data: Float32Array.of(0, 1, 1.5) });
  });

  it('reads and writes CSV by prompt name', async () => {
    const csv =
      'prompt,role,x1,x2,y\n"a,b",context,1,0,3\n"a,b",query,1,1,\nc,context,1,0,4\nc,query,1,1,\nc,query,2,0,\n';
    expect(await pipe(csv, { inputFormat: 'csv', outputFormat: 'csv' })).toBe(
      'prompt,query,prediction\n"a,b",0,3\nc,0,4\nc,1,8\n',
    );
    expect(await pipe(prompts(2), { outputFormat: 'csv' })).toBe('prompt,query,prediction\n0,0,0\n1,0,1\n');
  });

  it('reads and writes safetensors', async () => {
    const tensors = {
      covariates: { shape: [3, 1, 2], data: Float32Array.of(1, 0, 1, 0, 1, 0) },
      responses: { shape: [3, 1], data: Float32Array.of(5, 6, 7) },
      query: { shape: [3, 1, 2], data: Float32Array.of(1, 1, 1, 1, 1, 1) },
    };
    writeFileSync(at('in.safetensors'), serializeSafetensors(tensors, {}));
    await inferFile({ session: session(), input: at('in.safetensors'), output: at('out.safetensors'), batch: 2 });
    const { tensors: written } = readSafetensors('out', readFileSync(at('out.safetensors')));
    expect(written).toEqual({ prediction: { shape: [3, 1], data: Float32Array.of(5, 6, 7) } });
    const mixed = { session: session(), input: '-', output: at('mixed.safetensors') };
    await expect(inferFile({ ...mixed, stdin: Readable.from([prompt(1) + promptWithList(2)]) })).rejects.toThrow(
      'expected prompts of one shape, as one tensor needs, got another number of queries from prompt 1 on.',
    );
    expect(existsSync(mixed.output)).toBe(false);
  });

  it('reads the next batch while one runs, and no further', async () => {
    let served = 0;
    const stdin = Readable.from(
      (function* () {
        for (; served < 40; served++) yield prompt(served);
      })(),
      { highWaterMark: 1 },
    );
    const ahead: number[] = [];
    let runs = 0;
    const onRun = () => setTimeout(() => ahead.push(served - 4 * ++runs), 8);
    await pipe('', { session: session({ delay: 10, onRun }), stdin, batch: 4 });
    // Two batches behind the one that runs would be 8 prompts and more; one, and what the streams hold, is less.
    expect(Math.max(...ahead)).toBeLessThan(10);
    expect(Math.max(...ahead)).toBeGreaterThanOrEqual(4);
  });
});

describe('inferFile leaves nothing behind', () => {
  const run = (options: Partial<InferFileOptions> = {}) => {
    writeFileSync(at('in.jsonl'), prompts(10));
    return inferFile({ session: session(), input: at('in.jsonl'), output: at('out.jsonl'), batch: 3, ...options });
  };
  const expectNothing = () => expect(readdirSync(folder)).toEqual(['in.jsonl']);

  it('after a bad prompt, even behind good ones', async () => {
    writeFileSync(at('bad.jsonl'), `${prompts(10)}{"covariates":[[1,NaN]],"responses":[1],"query":[1,1]}\n`);
    await expect(run({ input: at('bad.jsonl') })).rejects.toThrow(
      'line 11: covariates[0][1]: expected a number, got NaN.',
    );
    rmSync(at('bad.jsonl'));
    expectNothing();
  });

  it('after a run that fails, while it still waits for input', async () => {
    const stdin = new PassThrough();
    stdin.write(prompts(2)); // And no end.
    const broken = { ...session(), run: () => Promise.reject(new Error('device lost')) };
    await expect(run({ session: broken, input: '-', stdin, batch: 1 })).rejects.toThrow('device lost');
    expect(stdin.destroyed).toBe(true);
    expectNothing();
  });

  it('after a prediction that is not finite, which no format can hold', async () => {
    const huge = session({ factor: 1e38 });
    await expect(run({ session: huge })).rejects.toThrow(
      'prediction of prompt 4: expected a finite number, got Infinity. The prompt is too large for the model in float32.',
    );
    expectNothing();
    await expect(run({ session: huge, output: at('out.safetensors') })).rejects.toThrow('prediction of prompt 4');
    expectNothing();
  });

  it('after an abort, with its reason', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(run({ signal: controller.signal, onProgress })).rejects.toThrow('enough');
    expectNothing();
    await expect(run({ signal: controller.signal })).rejects.toThrow('enough');
    const waiting = new AbortController();
    const silent = run({ input: '-', stdin: new PassThrough(), signal: waiting.signal });
    setTimeout(() => waiting.abort(new Error('no more')), 20);
    await expect(silent).rejects.toThrow('no more');
    expectNothing();
  });

  it.runIf(existsSync('/dev/full'))('after a full disk', async () => {
    // The temporary file is the device that is always full.
    symlinkSync('/dev/full', `${at('out.jsonl')}.${process.pid}.tmp`);
    await expect(run()).rejects.toThrow(`${at('out.jsonl')}: expected a file that can be written, got a full disk.`);
    expectNothing();
    await expect(run({ output: '/dev/full', outputFormat: 'jsonl' })).rejects.toThrow('got a full disk.');
    expect(existsSync('/dev/full')).toBe(true);
  });

  it('keeps the old file when it fails', async () => {
    writeFileSync(at('out.jsonl'), 'old');
    await expect(run({ session: session({ factor: 1e38 }) })).rejects.toThrow('prediction of prompt');
    expect(readFileSync(at('out.jsonl'), 'utf8')).toBe('old');
    await run();
    expect(lines(readFileSync(at('out.jsonl'), 'utf8'))).toHaveLength(10);
  });

  it('refuses what cannot work before it writes', async () => {
    await expect(run({ output: at('in.jsonl') })).rejects.toThrow('--output: expected another file than the prompts');
    await expect(run({ output: at('out.txt') })).rejects.toThrow('--output: expected a file ending in .jsonl');
    await expect(run({ batch: 0 })).rejects.toThrow('--batch: expected a whole number, 1 or more, got 0.');
    await expect(run({ prefixes: true })).rejects.toThrow(
      '--prefixes: expected a model with prefix predictions, got one without.',
    );
    const prefixed = { session: session({ hasPrefixes: true }), prefixes: true };
    await expect(run({ ...prefixed, output: at('out.csv') })).rejects.toThrow(
      '--prefixes: expected an output in JSON Lines',
    );
    await expect(run({ output: join(folder, 'no', 'out.jsonl') })).rejects.toThrow('got a missing file or folder.');
    mkdirSync(at('out.csv'));
    await expect(run({ output: at('out.csv') })).rejects.toThrow(
      `${at('out.csv')}: expected a file that can be written, got a folder.`,
    );
    rmSync(at('out.csv'), { recursive: true });
    expectNothing();
  });
});

describe('standard output', () => {
  it('may be closed by its reader', async () => {
    // `head -1` closes the pipe; the process must neither fail nor read its endless input to the end.
    const head = spawn('head', ['-1'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let first = '';
    head.stdout.on('data', (data: Buffer) => {
      first += data.toString();
    });
    const closed = once(head, 'close');
    let served = 0;
    const stdin = Readable.from(
      (function* () {
        for (;;) yield prompt(served++);
      })(),
    );
    const result = await inferFile({
      session: session(),
      input: '-',
      output: '-',
      stdin,
      stdout: head.stdin,
      batch: 64,
    });
    expect(result.isCutShort).toBe(true);
    await closed; // Its line may arrive after its end of the pipe is gone.
    expect(first).toBe('{"prediction":0}\n');
    expect(stdin.destroyed).toBe(true);
  });
});

describe('a long input', () => {
  it('runs in flat memory and never holds up the event loop', async () => {
    const count = 20_000;
    const random = () => Math.fround(Math.random() * 2 - 1);
    const vector = () => Array.from({ length: 5 }, random);
    const variants = Array.from({ length: 50 }, () => {
      const covariates = Array.from({ length: 20 }, vector);
      return `${JSON.stringify({ covariates, responses: covariates.map(random), query: vector() })}\n`;
    });
    const stdin = Readable.from(
      (function* () {
        for (let i = 0; i < count; i += variants.length) yield Buffer.from(variants.join(''));
      })(),
    );
    const memory: number[] = [];
    const turns = watchTurns();
    const fake = { ...session(), model: { ...session().model, sizes: { dimension: 5 } } };
    // Answers at once: the pipeline's own work is what is measured.
    const run = ({ batch }: { batch: number }) => Promise.resolve({ prediction: new Float32Array(batch) });
    const result = await inferFile({
      session: { ...fake, run },
      input: '-',
      output: at('out.jsonl'),
      stdin,
      onProgress: () => memory.push(process.memoryUsage().rss),
    });
    const longest = turns.stop();
    expect(result.prompts).toBe(count);
    const start = memory[Math.floor(memory.length / 10)]!;
    const grown = (Math.max(...memory) - start) / 2 ** 20;
    console.log(
      `${Math.round(result.prompts / result.seconds)} prompts/s, ${Math.round(grown)} MiB more, ` +
        `longest turn ${longest.toFixed(1)} ms`,
    );
    expect(grown).toBeLessThan(200);
    expect(longest).toBeLessThan(50);
  });
});

/**
 * The longest turn of the event loop, in milliseconds of processor time: wall time would also count what a busy machine
 * gives to others.
 */
function watchTurns(): { stop: () => number } {
  let longest = 0;
  let isOver = false;
  let before = process.cpuUsage();
  const turn = () => {
    const { user, system } = process.cpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    before = process.cpuUsage();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      isOver = true;
      return longest;
    },
  };
}
