/** The models that the lab brings along, as data: how each is trained, and what a person should know of it. */

/** Where a model can be used. */
export type LabUse = 'playground-regression' | 'playground-mixture' | 'playground-markov' | 'robustness';

export interface CatalogueEntry {
  /** Of its file, `models/<id>.onnx`, and in links. */
  readonly id: string;
  readonly study: string;
  readonly title: string;
  readonly about: string;
  readonly panels: readonly LabUse[];
}

export const catalogue: readonly CatalogueEntry[] = [
  {
    id: 'zhang2023-2d',
    study: 'zhang2023',
    title: 'Linear attention, 2-D',
    about: 'One layer of linear self-attention, trained on 20 pairs with covariates of unit variance.',
    panels: ['playground-regression', 'robustness'],
  },
];
