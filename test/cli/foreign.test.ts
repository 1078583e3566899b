/** The command line and models that were made elsewhere. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adaptModel } from '../../export/adapt.ts';
import { readForeign } from '../../export/foreign.ts';
import { serializeModel } from '../../export/serialize.ts';
import { taskOf } from '../export/fixtures.ts';
import { embeddingModel, foreignDimension } from '../export/foreign-models.ts';
import { temporaryFolder } from './fixtures.ts';
import { runIcl } from './run-icl.ts';

test('inspect says what an adapter could be; what is adapted is inspected and evaluated as any model', async () => {
  const folder = temporaryFolder();
  const theirs = join(folder, 'theirs.onnx');
  writeFileSync(theirs, serializeModel(embeddingModel()));
  const inspected = await runIcl(['inspect', theirs]);
  expect(inspected).toMatchObject({ code: 0 });
  expect(inspected.stdout).toContain('adapter: tokens: rows (x, y), the query last with y = 0');

  const foreign = readForeign('theirs.onnx', serializeModel(embeddingModel()));
  const adapted = join(folder, 'adapted.onnx');
  const { choice } = foreign.proposals[0]!;
  const task = taskOf(foreignDimension);
  writeFileSync(
    adapted,
    adaptModel(foreign, { choice, task, isNegated: false, contextLength: 9, origin: 'theirs.onnx' }),
  );
  const { metadata } = JSON.parse((await runIcl(['inspect', adapted, '--json'])).stdout) as { metadata: object };
  expect(metadata).toMatchObject({ model: 'adapted', convertedFrom: 'theirs.onnx, by elsewhere 2.1' });
  const evaluated = await runIcl(['evaluate', adapted, '--prompts', '200', '--provider', 'cpu', '--json']);
  expect(evaluated).toMatchObject({ code: 0 });
  const [row] = evaluated.stdout.trim().split('\n');
  expect(JSON.parse(row!)).toMatchObject({ model: 'adapted', contextLength: 9, estimator: 'model', theory: null });
});
