/**
 * The picture that stands on the screen before any script has run: the playground as it opens, computed when the page is built by
 * the float64 reference, and labelled as stored. Without style attributes, as the page's policy asks.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseHTML } from 'linkedom';
import type { Plugin } from 'vite';
import { type FrozenModel, readModel } from '../../export/read-model.ts';
import { referencePrediction } from '../../models/reference-ops.ts';
import type { FigureDocument } from '../../studies/figures/document.ts';
import { themeDeclarations } from '../../studies/figures/theme.ts';
import { catalogue } from '../catalogue.ts';
import { pageTitle, tagline } from '../src/app/words.ts';
import { type Palette, paint, paletteFrom } from '../src/panels/playground/color-map.ts';
import { promptOf } from '../src/panels/playground/pairs.ts';
import { drawPlanes } from '../src/panels/playground/plane-figure.ts';
import { queriesOf, SLICE } from '../src/panels/playground/plane-queries.ts';
import { type AnsweredPlane, type AnswerName, fieldOf, mapOf, pointsOf } from '../src/panels/playground/plane-views.ts';
import { openingValues } from '../src/panels/playground/playground-fields.ts';
import { presetOf } from '../src/panels/playground/presets.ts';
import { type Situation, situationOf } from '../src/panels/playground/situation.ts';
import { storedFigureId } from '../src/panels/playground/stored-figure.ts';
import { compare } from '../src/worker/comparison.ts';
import { encodePng } from './png.ts';

const place = '<icl-lab></icl-lab>';

export function storedFigurePlugin(): Plugin {
  return {
    name: 'icl-stored-figure',
    transformIndexHtml(page) {
      if (!page.includes(place)) throw new Error(`index.html has no ${place} to put the stored figure into`);
      return page.replace(place, `<icl-lab>${storedPage()}</icl-lab>`);
    },
  };
}

/** Cells of the coloured field, as the live one has them; lines of equal value need fewer. */
const IMAGE_SIZE = 65;
const LINE_SIZE = 33;

function storedPage(): string {
  const { id, title } = catalogue.find((entry) => entry.id === openingValues.model)!;
  const file = fileURLToPath(new URL(`../models/${id}.onnx`, import.meta.url));
  const model = readModel(id, readFileSync(file));
  const { metadata, sizes, architecture } = model;
  const { minimumContext } = architecture;
  const situation = situationOf(openingValues, { id, metadata, sizes, minimumContext });
  const [images, lines] = [answer(model, situation, IMAGE_SIZE), answer(model, situation, LINE_SIZE)];
  const figure = (which: AnswerName, name: string) =>
    `<figure><figcaption>${name}</figcaption>${plane(images, lines, which)}</figure>`;
  return `
      <header id="${storedFigureId}-head" class="head">
        <h1>${pageTitle}</h1>
        <p class="tagline">${tagline}</p>
      </header>
      <div id="${storedFigureId}">
        <div class="panel">
          <div class="intro"><h2>Playground</h2><div class="preset"></div><p>${presetOf(openingValues)!.look}</p></div>
          <figure class="stored">
            <div class="planes">
              ${figure('model', title)}
              ${figure('comparison', situation.comparison.title)}
            </div>
            <figcaption>Stored result: predicted y from ${situation.pairs.length} pairs, blue below 0, vermilion above. The live model is being fetched.</figcaption>
          </figure>
        </div>
      </div>
    `;
}

function answer(model: FrozenModel, situation: Situation, size: number): AnsweredPlane {
  const { pairs, responses, comparison } = situation;
  const prompt = promptOf(pairs, responses, queriesOf({ situation, axis: 0 }, size));
  return {
    situation,
    size,
    sliceCount: SLICE,
    axis: 0,
    model: Float32Array.from(referencePrediction(model.architecture, model.parameters, model.sizes, prompt)),
    comparison: compare(comparison.request, prompt, situation),
    others: [],
    milliseconds: 0,
  };
}

function plane(images: AnsweredPlane, lines: AnsweredPlane, which: AnswerName): string {
  const { situation } = images;
  const { half, probe } = situation;
  const map = mapOf(situation);
  const { document } = parseHTML('<html></html>') as unknown as { document: FigureDocument };
  const layers = (['light', 'dark'] as const).map((scheme) => {
    const palette = paletteOf(scheme);
    const points = pointsOf(situation, palette);
    return { className: `only-${scheme}`, palette, points, images: [imageOf(images, which, palette)] };
  });
  const svg = drawPlanes(
    { document },
    {
      ...{ layers, half, probe, map, what: '', isBare: true },
      planes: [{ title: '', field: fieldOf(lines, which)! }],
      description: `A plane of predictions and ${situation.pairs.length} pairs`,
    },
  );
  return svg.outerHTML;
}

function paletteOf(scheme: 'light' | 'dark'): Palette {
  const declarations = new Map(
    themeDeclarations(scheme)
      .split(';')
      .map((each) => each.split(':') as [string, string]),
  );
  return paletteFrom((variable) => declarations.get(variable)!);
}

function imageOf(answered: AnsweredPlane, which: AnswerName, palette: Palette): string {
  const { values, size, map } = fieldOf(answered, which)!;
  const png = encodePng(paint(palette, map, values, size), size, size);
  return `data:image/png;base64,${png.toString('base64')}`;
}
