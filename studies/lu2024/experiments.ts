import type { ReproduceOptions, ReproduceResult, Study } from '../study.ts';
export async function reproduce(_study: Study, _options: ReproduceOptions): Promise<ReproduceResult> {
  throw new Error('not yet');
}
