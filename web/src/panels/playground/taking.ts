/** What can be taken away from the playground: the planes as a picture, all numbers, the prompt for the command line, the model. */
import { html, type TemplateResult } from 'lit';
import type { FigureContext, SvgElement } from '../../../../studies/figures/document.ts';
import { themeDeclarations } from '../../../../studies/figures/theme.ts';
import type { LibraryModel } from '../../app/library.ts';
import { type Cell, download, type Table } from '../../components/download.ts';
import { figureTools, provenanceLine } from '../../components/figure-frame.ts';
import { type Palette, paint, paletteFrom } from './color-map.ts';
import { formatPrompt, promptOf } from './pairs.ts';
import type { PlaneField } from './plane.ts';
import { drawPlanes } from './plane-figure.ts';
import { queriesOf } from './plane-queries.ts';
import { type AnsweredPlane, classNameOf, fieldOf, mapOf, pointsOf } from './plane-views.ts';
import { lawOf } from './situation.ts';

export interface TakingOptions {
  readonly answered: AnsweredPlane;
  readonly model: LibraryModel;
  readonly isDifference: boolean;
  onProblem(problem: string): void;
}

/** Files are on white paper, whatever the page is. */
export function lightPalette(): Palette {
  const declarations = new Map(
    themeDeclarations('light')
      .split(';')
      .map((each) => each.split(':') as [string, string]),
  );
  return paletteFrom((variable) => declarations.get(variable)!);
}

export function takingOf(options: TakingOptions): TemplateResult {
  const { answered, model, onProblem } = options;
  const { situation } = answered;
  const name = `playground-${model.id}`;
  const saveModel = () =>
    model
      .bytes()
      .then((bytes) => download(`${model.id}.onnx`, bytes as Uint8Array<ArrayBuffer>, 'application/octet-stream'))
      .catch((error: unknown) => onProblem((error as Error).message));
  return html`
    <div class="taking">
      ${figureTools({ name, table: () => tableOf(answered) }, () => picture(options), onProblem)}
      <div class="figure-tools">
        <button type="button" class="quiet" @click=${() => download('playground.jsonl', promptFile(answered), 'application/jsonl')}>
          Prompt
        </button>
        <button type="button" class="quiet" @click=${saveModel}>Model</button>
      </div>
    </div>
    ${provenanceLine({
      text:
        `The model answers every place of the plane as a query of one prompt, in one run; the context is the ${situation.pairs.length} pairs. ` +
        `${lawOf(situation)} The CSV has the pairs and every query with its answers; the prompt file has the same queries in the same order: ` +
        'save it and the model, and the command gives the same predictions to rounding.',
      command: `icl infer ${model.id}.onnx --prompts playground.jsonl`,
    })}
  `;
}

/** The prompt with all queries that were asked. */
export function promptFile({ situation, size, axis }: AnsweredPlane): string {
  return formatPrompt(promptOf(situation.pairs, situation.responses, queriesOf({ situation, axis }, size)));
}

/** Pairs first, then every query with what was answered. */
export function tableOf(answered: AnsweredPlane): Table {
  const { situation, model, comparison, size, axis } = answered;
  const { responses, pairs } = situation;
  const isOneHot = responses.kind === 'classes' && responses.isOneHot;
  const width = isOneHot ? responses.values.length : 1;
  const names = (who: string) =>
    isOneHot ? responses.values.map((_, k) => `${who}: ${classNameOf(responses, k)}`) : [who];
  const queries = queriesOf({ situation, axis }, size);
  const blank = new Array<Cell>(2 * width).fill(null);
  const roleOf = (i: number) => (i === 0 ? 'probe' : i <= size * size ? 'grid' : 'line');
  const rows = Array.from({ length: queries.length / 2 }, (_, i): Cell[] => [
    roleOf(i),
    queries[2 * i]!,
    queries[2 * i + 1]!,
    null,
    ...model.subarray(i * width, (i + 1) * width),
    ...(comparison === null ? blank.slice(width) : comparison.subarray(i * width, (i + 1) * width)),
  ]);
  return {
    columns: ['role', 'x1', 'x2', 'y', ...names('model'), ...names(situation.comparison.key)],
    rows: [...pairs.map(({ x1, x2, y }): Cell[] => ['pair', x1, x2, y, ...blank]), ...rows],
  };
}

function picture({ answered, model, isDifference }: TakingOptions): SvgElement {
  const { situation } = answered;
  const palette = lightPalette();
  const map = mapOf(situation);
  const beside = situation.comparison.title;
  const planes = [
    { title: model.title, field: fieldOf(answered, 'model')! },
    isDifference
      ? { title: `${model.title} less ${beside}`, field: fieldOf(answered, 'difference')! }
      : { title: beside, field: fieldOf(answered, 'comparison')! },
  ];
  const images = planes.map(({ field }) => imageOf(field, palette));
  return drawPlanes(
    { document: document as unknown as FigureContext['document'] },
    {
      planes,
      layers: [{ className: '', palette, points: pointsOf(situation, palette), images }],
      half: situation.half,
      probe: situation.probe,
      what: map.kind === 'diverging' ? 'predicted y' : '',
      map,
      description: `${model.title} beside ${beside}, from ${situation.pairs.length} pairs`,
    },
  );
}

/** The field as the address of a picture, several pixels a cell so that no reader blurs it to its taste. */
function imageOf({ values, size, map }: PlaneField, palette: Palette): string {
  const cells = document.createElement('canvas');
  cells.width = size;
  cells.height = size;
  const pixels = paint(palette, map, values, size) as Uint8ClampedArray<ArrayBuffer>;
  cells.getContext('2d')!.putImageData(new ImageData(pixels, size, size), 0, 0);
  const canvas = document.createElement('canvas');
  canvas.width = 6 * size;
  canvas.height = 6 * size;
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(cells, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png');
}
