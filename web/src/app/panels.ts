/** The panels, as data. Each is loaded when it is first shown. */

export interface PanelEntry {
  /** In the link. */
  readonly name: string;
  readonly title: string;
  /** Its element. */
  readonly tag: string;
  load(): Promise<unknown>;
}

export const panels: readonly PanelEntry[] = [
  {
    name: 'playground',
    title: 'Playground',
    tag: 'icl-playground',
    load: () => import('../panels/playground/playground-panel.ts'),
  },
  {
    name: 'markov',
    title: 'Markov chains',
    tag: 'icl-markov',
    load: () => import('../panels/markov/markov-panel.ts'),
  },
  {
    name: 'robustness',
    title: 'Robustness',
    tag: 'icl-robustness',
    load: () => import('../panels/robustness/robustness-panel.ts'),
  },
  {
    name: 'training',
    title: 'Training',
    tag: 'icl-training',
    load: () => import('../panels/training/training-panel.ts'),
  },
  {
    name: 'own-model',
    title: 'Your model',
    tag: 'icl-own-model',
    load: () => import('../panels/own-model/own-model-panel.ts'),
  },
];
