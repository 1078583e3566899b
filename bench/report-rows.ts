/** What the performance page says of each of its rows beside the numbers: the work, the peer, the aim, and what limits it. */

/** What the table says of a row beside its numbers. */
export interface RowWords {
  readonly work: string;
  readonly peer: string;
  /** The ratio that is aimed at. */
  readonly aim: string;
  readonly limit: string;
  /** Whether it is another way to the work of the row before, and no point of its own in the roofline. */
  readonly isVariant?: true;
}

const pytorch = 'PyTorch, the same model';

/** By the name of the benchmark. */
export const rows: Readonly<Record<string, RowWords>> = {
  'lsa-train': {
    work: 'training step of linear self-attention with fresh prompts, d=20 N=40 B=256, Adam',
    peer: pytorch,
    aim: '4',
    limit:
      'Drawing the prompts in two threads, and the step beside them in a third, on two cores that are both busy nearly all the time. Half of the processor time goes into drawing, a quarter into ONNX Runtime, most of that into four products; the rest is a copy of the prompts to its own thread, and JavaScript and messages between threads.',
  },
  'multilayer-train': {
    work: 'training step of 3-layer linear self-attention, d=5 N=20 B=256, Adam',
    peer: pytorch,
    aim: '4',
    limit: 'Products of 6 x 6 matrices, one per prompt: the cost is of calling the product, not of computing it.',
  },
  'transformer-train': {
    work: 'training step of a GPT-style transformer, d=5 N=20 B=64, 3 layers, width 64, 2 heads, loss at every position',
    peer: pytorch,
    aim: '1.7',
    limit:
      'Matrix products on all cores, which both programs leave to a library; then GELU, forward and backward, some nine passes over the widest tensors and a fifth of the step; and cutting and joining the heads, which ONNX Runtime does in one thread.',
  },
  'tfjs-train': {
    work: 'training step of linear self-attention, our engine `onnx`',
    peer: 'our engine `tfjs` on WebAssembly',
    aim: 'reported',
    limit: 'TensorFlow.js on WebAssembly runs in one thread and draws its prompts in the same one.',
  },
  'tfjs-multilayer-train': {
    work: 'training step of 3-layer linear self-attention, our engine `onnx`',
    peer: 'our engine `tfjs` on WebAssembly',
    aim: 'reported',
    limit: 'As above.',
  },
  'tfjs-transformer-train': {
    work: 'training step of the transformer, our engine `onnx`',
    peer: 'our engine `tfjs` on WebAssembly',
    aim: 'reported',
    limit: 'As above.',
  },
  'lsa-infer': {
    work: 'inference of linear self-attention, d=20 N=40 B=4096, prompts in shared memory',
    peer: 'PyTorch, bare forward pass',
    aim: '7',
    limit:
      'Asked for two batches at a time, so that no thread waits for the next question. Reading the prompts: once into a cache, since Node before 24.9 lets ONNX Runtime take no memory that threads share, and twice from there, in one product with a vector and a small product per prompt. On Node 24.21 and 26.10, where nothing is copied, the ratio was 8.2 and 10.1, and 7.9 and 8.4 with each batch asked alone. Two threads take pieces of the batch until none is left. NaN in a prompt shows in its answer, which alone is looked at; the peer looks at nothing.',
  },
  'lsa-infer-alone': {
    work: 'the same, each batch asked for when the last is answered',
    peer: 'PyTorch, bare forward pass',
    aim: 'reported',
    isVariant: true,
    limit:
      'As above; and threads wake up on both sides of a question, a tenth of a millisecond in which nothing is computed.',
  },
  'lsa-infer-copied': {
    work: 'the same, prompts in an ordinary array',
    peer: 'PyTorch, bare forward pass',
    aim: 'reported',
    isVariant: true,
    limit:
      'The same one copy, but all of it in the caller’s thread, into memory that goes to a thread and comes back, a piece at a time.',
  },
  'length-curve': {
    work: 'its predictions at all lengths 1..40',
    peer: 'PyTorch, a loop over the lengths',
    aim: '100',
    limit:
      'The same reading; then a dozen small operations on 40 numbers per prompt, of which the running sum is the dearest. The gain is one of method: one pass instead of forty.',
  },
  'lsa-infer-queries': {
    work: 'inference of linear self-attention, d=20 N=40 B=1024, 100 queries per prompt',
    peer: 'none',
    aim: 'reported',
    limit:
      'A prompt is summed once into D + 1 numbers; each query costs a product with a D x D matrix and a short one with them.',
  },
  'transformer-infer': {
    work: 'inference of the transformer, d=5 N=20 B=64, at the query',
    peer: 'PyTorch, predictions at every position',
    aim: 'reported',
    limit:
      'Matrix products, and a hundred element-wise nodes a layer, which cost as much; each thread takes a dozen prompts at a time, which its core’s cache holds.',
  },
  sampler: {
    work: 'drawing the prompts of a training step, d=20 N=40 B=256',
    peer: 'PyTorch, torch.randn and a product',
    aim: 'reported',
    limit:
      'Philox and Box-Muller in 128-bit SIMD, one thread: some twenty instructions a number, half of them the counter-based generator’s, of which the processor does three at once.',
  },
  estimators: {
    work: 'least squares on 20,000 prompts, d=20 N=40, float64',
    peer: 'PyTorch, batched LAPACK (gelsy)',
    aim: 'reported',
    limit:
      'Householder reflections of two prompts at a time in 128-bit SIMD, one thread: each reads its columns twice from the nearest cache. The peer pivots columns; prompts that are not certainly well conditioned are solved so here too.',
  },
  'estimators-minimum-norm': {
    work: 'the same with N=10: the solution of least norm',
    peer: 'PyTorch, batched LAPACK (gelsy)',
    aim: 'reported',
    limit: 'The same reflections, of the transposed rows.',
  },
  'estimators-ridge': {
    work: 'ridge regression on 20,000 prompts, d=20 N=40, float64',
    peer: 'PyTorch, normal equations',
    aim: 'reported',
    limit:
      'The same reflections, with the rows of the penalty below those of the prompt, which lose no digits; the peer’s normal equations lose half of them.',
  },
};
