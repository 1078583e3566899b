/** What is run when providers are compared: one point moved, a field of predictions, a batch of fresh prompts. */
export const timedWork = [
  { title: '1 prompt, 1 query', batch: 1, queries: 1 },
  { title: '1 prompt, 1000 queries', batch: 1, queries: 1000 },
  { title: '256 prompts, 1 query', batch: 256, queries: 1 },
] as const;
