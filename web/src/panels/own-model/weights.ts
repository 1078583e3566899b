/** A model's trained matrices as a figure. Drawing is loaded when there is something to draw. */
import type { Figure } from '../../components/figure-frame.ts';
import type { WeightMatrix } from '../../worker/methods/inspect.ts';

/** @param name Of the figure's files. */
export async function weightsFigure(name: string, matrices: readonly WeightMatrix[]): Promise<Figure> {
  const { drawHeatMaps } = await import('../../../../studies/figures/heat-map.ts');
  return {
    name: `${name}-weights`,
    caption: 'The trained matrices, each on its own scale: vermilion above 0, blue below.',
    provenance: {
      text: "The numbers stand in the file's initializers and are shown as they are. The contract, docs/onnx-contract.md, says what each matrix is called.",
      command: null,
    },
    draw: (context) =>
      drawHeatMaps(context, {
        maps: matrices.map(({ name: title, matrix }) => ({ title, matrix })),
        scale: 'diverging',
        isShared: false,
        valueName: 'weight',
        columns: 3,
        narrowColumns: 1,
        description: `Heat maps of ${matrices.map(({ name: title }) => title).join(', ')}`,
      }),
    table: () => ({
      columns: ['tensor', 'row', 'column', 'value'],
      rows: matrices.flatMap(({ name: tensor, matrix }) =>
        matrix.flatMap((row, i) => row.map((value, j) => [tensor, i, j, value])),
      ),
    }),
  };
}
