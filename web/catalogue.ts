/**
 * The built-in models as a person sees them: a title, what it was trained on, what to try, and which panels it suits. How each
 * is made stands with the studies, in `built-in-models.ts`; the files lie beside this one in `models/`.
 */
import { type ModelId, type Recipe, recipes } from '../studies/built-in-models.ts';

/** Where a model can be used. */
export type LabUse = 'playground-regression' | 'playground-mixture' | 'playground-markov' | 'robustness';

export interface CatalogueEntry extends Recipe {
  /** Of its file, `models/<id>.onnx`, and in links. */
  readonly id: ModelId;
  readonly title: string;
  /** Two sentences for a student: what it was trained on, and what to try. */
  readonly about: string;
  /** Best suited first. */
  readonly panels: readonly LabUse[];
}

type Words = Pick<CatalogueEntry, 'title' | 'about' | 'panels'>;

const plane = ['playground-regression', 'robustness'] as const;

/** In the order in which they are offered; the compiler sees to it that none is missing. */
const words: Readonly<Record<ModelId, Words>> = {
  'zhang2023-2d-transformer': {
    title: 'Transformer',
    about:
      'A small GPT-style transformer, trained on noisy linear functions of the plane, 20 points each: with few points or many it is nearly as good as least squares. Add a 21st: it has never seen so many, and the position it stands at was never trained.',
    panels: plane,
  },
  'zhang2023-2d': {
    title: 'Linear attention',
    about:
      'One layer of linear attention, trained on linear functions without noise, 20 points each: it answers with one step of gradient descent. Stretch all points to twice their size: least squares would not mind, the one step overshoots.',
    panels: plane,
  },
  'zhang2023-2d-noise': {
    title: 'Linear attention, trained on noise',
    about:
      'The same layer, trained on responses with noise of standard deviation 2. It has learned to trust its points less: its functions are flatter than those of the layer without noise.',
    panels: plane,
  },
  'zhang2023-5d': {
    title: 'Linear attention in 5 dimensions',
    about:
      'One layer of linear attention, trained on 20 points without noise in 5 dimensions. Every shift has an exact curve here: scale the covariates, then the query alone, and see which of the two it minds.',
    panels: ['robustness'],
  },
  'zhang2023-5d-two-layers': {
    title: 'Two layers of linear attention in 5 dimensions',
    about:
      'Two steps of gradient descent where the single layer has one: its error on prompts like those of its training is a twentieth. Scale the covariates up by half and it is hundreds of times worse than the single layer.',
    panels: ['robustness'],
  },
  'huang2023-2d': {
    title: 'Softmax attention, two features alike',
    about:
      'One layer of softmax attention, trained on prompts that show only the points (1, 0) and (0, 1), both equally often. It averages the responses of the points that are most like the query: move points away from the two and see what it makes of them.',
    panels: plane,
  },
  'huang2023-2d-early': {
    title: 'Softmax attention, a rare feature, early',
    about:
      'Here (0, 1) is one point in ten, and training was stopped after 10 steps. Ask at (0, 1): it answers mostly with the responses at (1, 0), which it has learned first.',
    panels: plane,
  },
  'huang2023-2d-late': {
    title: 'Softmax attention, a rare feature, late',
    about:
      'The same training after 2000 steps: the rare feature has been learned too. Ask at (0, 1) again and compare.',
    panels: plane,
  },
  'huang2023-8d': {
    title: 'Softmax attention, eight features',
    about:
      'One layer of softmax attention, trained on eight features, of which one is in half of all pairs. Let the query be a rare one, or shorten the prompt until rare features are missing from it.',
    panels: ['robustness'],
  },
  'lu2024-2d-one-task': {
    title: 'Linear attention that saw one function',
    about:
      'Every prompt of its pretraining came from one and the same linear function. Whatever points you place, it answers with that function; they only decide how strongly.',
    panels: plane,
  },
  'lu2024-2d': {
    title: 'Linear attention that saw a new function each time',
    about:
      'The same model, pretrained on prompts that had a function each. It has to read it from your points: place the same ones as for the model that saw one function, and compare.',
    panels: plane,
  },
  'lu2024-20d-few-tasks': {
    title: 'Linear attention, five pretraining tasks',
    about:
      'Pretrained on prompts of five tasks in 20 dimensions. Mix fresh tasks into the test prompts: on its five it is good, on fresh ones worse than predicting 0.',
    panels: ['robustness'],
  },
  'lu2024-20d': {
    title: 'Linear attention, no task twice',
    about:
      'The same size, pretrained on a fresh task in every prompt. It has nothing to remember: compare its error on fresh tasks with that of the model that knows five.',
    panels: ['robustness'],
  },
  'shen2024-2d': {
    title: 'Classifier of two clouds',
    about:
      'One layer of linear attention, trained on 40 labelled points of two Gaussian clouds whose centres are equally far from the origin. Drag one cloud away from the origin, or give it most of the points, and compare the boundary with that of Bayes.',
    panels: ['playground-mixture', 'robustness'],
  },
  'shen2024-2d-three-classes': {
    title: 'Classifier of three clouds',
    about:
      'The same layer for three clouds of 40 points together. Drag two of them onto each other and compare its colours with those of Bayes.',
    panels: ['playground-mixture', 'robustness'],
  },
  'shen2024-10d': {
    title: 'Classifier in 10 dimensions',
    about:
      'Two Gaussian clouds in 10 dimensions, 100 labelled points per prompt. Make one class rare, or one centre farther out: theory says what each costs.',
    panels: ['robustness'],
  },
  'ding2025-one-layer': {
    title: 'Markov chains of two states, one layer',
    about:
      'One layer of linear attention: it sees 100 short chains, all with the same transition probabilities, and guesses how another one goes on. Set the probabilities and compare it with counting, which does better.',
    panels: ['playground-markov', 'robustness'],
  },
  'ding2025-four-layers': {
    title: 'Markov chains of two states, four layers',
    about: 'Four such layers, trained on the same chains. On fresh ones they gain little over one layer.',
    panels: ['playground-markov', 'robustness'],
  },
  'ding2025-three-states-one-layer': {
    title: 'Markov chains of three states, one layer',
    about:
      'Its states are the numbers 0, 1 and 2, and it predicts their mean. Let 0 and 2 alternate with no 1 between them: a prediction of 1 then says how little it knows.',
    panels: ['playground-markov', 'robustness'],
  },
  'ding2025-three-states-four-layers': {
    title: 'Markov chains of three states, four layers',
    about: 'Four layers on chains of three states. Compare it with the single layer and with counting.',
    panels: ['playground-markov', 'robustness'],
  },
};

export const catalogue: readonly CatalogueEntry[] = (Object.keys(words) as ModelId[]).map((id) => ({
  id,
  ...recipes[id],
  ...words[id],
}));
