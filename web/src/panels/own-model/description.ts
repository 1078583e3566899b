/** What a model's file says, as templates. All of it is text: whatever a file holds, it is shown and never interpreted. */
import { html, nothing, type TemplateResult } from 'lit';
import type { GraphDescription, ModelDescription, NamedType } from '../../worker/methods/inspect.ts';
import { formatBytes, formatCount, formatNumber, formatValue } from './format.ts';

const predictionWords = {
  value: 'the response, a number',
  sigmoid: 'the probability of the label +1',
  softmax: 'a probability for each class',
} as const;

type Fact = readonly [string, unknown];

const factList = (facts: readonly Fact[]): TemplateResult => html`
  <dl class="facts">
    ${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${formatValue(value)}</dd>`)}
  </dl>
`;

/** Entries of a JSON object; anything else as one. */
function factsOf(name: string, value: unknown): readonly Fact[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.entries(value).filter(([, each]) => each !== null) : [[name, value]];
}

export function aboutModel(description: ModelDescription): TemplateResult {
  const { metadata, sizes, architecture, source, output, minimumContext, multiplications } = description;
  const { study, version, author, license, convertedFrom, task, training, config } = metadata;
  return html`
    <section aria-labelledby="own-about">
      <h3 id="own-about">What it is</h3>
      ${factList([
        ['architecture', `${architecture} (${metadata.model})`],
        // Of a model from elsewhere no study is known.
        ...(description.hasReference
          ? ([
              ['described in', source],
              ['trained for', study],
            ] as const)
          : []),
        ['task', (task as { readonly name?: unknown }).name],
        ['covariates', `${sizes.dimension} numbers each`],
        ...Object.entries(sizes.options ?? {}),
        ['predicts', predictionWords[output]],
        ['fewest pairs', minimumContext],
        ['trained numbers', formatCount(description.parameterCount)],
        ...(multiplications === null
          ? []
          : [['cost', `${formatCount(multiplications)} multiplications for 20 pairs and a query`] as const]),
        ['file', `${formatBytes(description.bytes)}, written by icl-onnx ${version}`],
        ['author', `${author}, licence ${license}`],
        ['made from', convertedFrom],
      ])}
      <details>
        <summary>Task, training and configuration</summary>
        <h4>Task it was trained on</h4>
        ${factList(factsOf('task', task))}
        <h4>How training ended</h4>
        ${factList(factsOf('training', training))}
        <h4>Configuration</h4>
        ${factList(factsOf('config', config))}
      </details>
    </section>
  `;
}

/** What is fed and what comes back. */
export function signature(inputs: readonly NamedType[], outputs: readonly NamedType[]): TemplateResult {
  const hasDocs = [...inputs, ...outputs].some(({ doc }) => doc !== '');
  const rows = (kind: string, values: readonly NamedType[]) =>
    values.map(
      ({ name, type, doc }) => html`
        <tr><td>${kind}</td><th scope="row"><code>${name}</code></th><td><code>${type}</code></td>${hasDocs ? html`<td>${doc}</td>` : nothing}</tr>
      `,
    );
  return html`
    <div class="scrolls" tabindex="0" role="group" aria-label="Inputs and outputs">
      <table>
        <thead><tr><th scope="col"><span class="visually-hidden">Direction</span></th><th scope="col">name</th><th scope="col">type and shape</th>${hasDocs ? html`<th scope="col">meaning</th>` : nothing}</tr></thead>
        <tbody>${rows('in', inputs)}${rows('out', outputs)}</tbody>
      </table>
    </div>
  `;
}

export function parameterTable({ parameters }: ModelDescription): TemplateResult {
  return html`
    <details>
      <summary>All ${parameters.length === 1 ? 'trained tensors: 1' : `${parameters.length} trained tensors`}</summary>
      <div class="scrolls" tabindex="0" role="group" aria-label="Trained tensors">
        <table class="numbers">
          <thead><tr><th scope="col">name</th><th scope="col">shape</th><th scope="col">smallest</th><th scope="col">largest</th><th scope="col">norm</th></tr></thead>
          <tbody>
            ${parameters.map(
              ({ name, shape, smallest, largest, norm }) => html`
                <tr>
                  <th scope="row"><code>${name}</code></th>
                  <td>${shape.length === 0 ? 'a number' : shape.join(' × ')}</td>
                  ${[smallest, largest, norm].map((value) => html`<td>${formatNumber(value)}</td>`)}
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </details>
  `;
}

export function graphSummary(graph: GraphDescription): TemplateResult {
  const { operators, nodeCount, nodes, text, isCut, opset, irVersion } = graph;
  return html`
    <section aria-labelledby="own-graph">
      <h3 id="own-graph">Graph</h3>
      <p>${formatCount(nodeCount)} nodes of ${operators.length} kinds, operator set ${opset}, format version ${irVersion}.</p>
      <ul class="operators">
        ${operators.map(([operator, count]) => html`<li>${operator} <span class="number">${count}</span></li>`)}
      </ul>
      <details>
        <summary>Nodes with their shapes</summary>
        <div class="scrolls tall" tabindex="0" role="group" aria-label="Nodes">
          <table>
            <thead><tr><th scope="col">operator</th><th scope="col">reads</th><th scope="col">makes</th><th scope="col">type and shape</th></tr></thead>
            <tbody>
              ${nodes.map(
                ({ operator, inputs, outputs, type }) =>
                  html`<tr><th scope="row">${operator}</th><td><code>${inputs}</code></td><td><code>${outputs}</code></td><td><code>${type}</code></td></tr>`,
              )}
            </tbody>
          </table>
        </div>
        ${nodeCount > nodes.length ? html`<p><small>The first ${nodes.length} of ${formatCount(nodeCount)}.</small></p>` : nothing}
      </details>
      <details>
        <summary>As text</summary>
        <pre class="tall" tabindex="0" aria-label="The graph as text"><code>${text}</code></pre>
        ${isCut ? html`<p><small>Cut here: the text goes on. <code>icl inspect</code> prints all of it.</small></p>` : nothing}
      </details>
    </section>
  `;
}
