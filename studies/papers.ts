/** The papers, by the key of their study. Data only: a page says whose point it shows without loading a study. */

export interface Paper {
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  readonly arxiv: string;
}

export const papers = {
  zhang2023: {
    title: 'Trained Transformers Learn Linear Models In-Context',
    authors: 'Zhang, Frei, Bartlett',
    year: 2024,
    arxiv: '2306.09927',
  },
  huang2023: {
    title: 'In-context Convergence of Transformers',
    authors: 'Huang, Cheng, Liang',
    year: 2024,
    arxiv: '2310.05249',
  },
  lu2024: {
    title: 'Asymptotic theory of in-context learning by linear attention',
    authors: 'Lu, Letey, Zavatone-Veth, Maiti, Pehlevan',
    year: 2025,
    arxiv: '2405.11751',
  },
  shen2024: {
    title: 'On the Training Convergence of Transformers for In-Context Classification of Gaussian Mixtures',
    authors: 'Shen, Zhou, Yang, Shen',
    year: 2025,
    arxiv: '2410.11778',
  },
  ding2025: {
    title: 'Optimality and NP-Hardness of Transformers in Learning Markovian Dynamical Functions',
    authors: 'Ding, Lu, Lu, Nowicki, Gao',
    year: 2025,
    arxiv: '2510.18638',
  },
} as const satisfies Readonly<Record<string, Paper>>;

/** `Zhang et al. (2024)` */
export const cite = ({ authors, year }: Paper): string => `${authors.split(',')[0]} et al. (${year})`;
