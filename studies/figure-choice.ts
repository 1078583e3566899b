/** Which of a study's figures a reproduction draws. */
import { unknownName } from '../models/errors.ts';
import { allFigures, type FigureInfo, type ReproduceOptions, type Study } from './study.ts';

export interface FigureChoice {
  /** True if any of these figures is drawn. */
  wants(...names: readonly string[]): boolean;
  /** Extra figures that a quick reproduction leaves out, since nobody asked for them. */
  readonly omitted: readonly FigureInfo[];
}

/** @throws {UsageError} for a figure that the study does not have, with the nearest name. */
export function chooseFigures(
  study: Pick<Study, 'name' | 'figures'>,
  { figure, isQuick }: Pick<ReproduceOptions, 'figure' | 'isQuick'>,
): FigureChoice {
  const names = study.figures.map(({ name }) => name);
  if (figure !== undefined && figure !== allFigures && !names.includes(figure)) {
    throw unknownName(`figure of ${study.name}`, figure, [...names, allFigures]);
  }
  const isAsked = ({ name, isExtra }: FigureInfo) =>
    figure === undefined ? !(isQuick && isExtra === true) : figure === allFigures || figure === name;
  const chosen = new Set(study.figures.filter(isAsked).map(({ name }) => name));
  return {
    wants: (...some) => some.some((name) => chosen.has(name)),
    omitted: figure === undefined ? study.figures.filter(({ name }) => !chosen.has(name)) : [],
  };
}
