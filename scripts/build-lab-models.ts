/**
 * Makes the built-in models: trains each by its recipe, exports it with predictions from all prefixes where the architecture
 * has them, verifies it on the processor and in WebAssembly, and writes `web/models/<id>.onnx`. Without arguments all of them.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ProviderName } from '../infer/provider-table.ts';
import { architectureNamed } from '../models/attention/index.ts';
import { DataError, unknownName } from '../models/errors.ts';
import { type ModelId, type Recipe, recipes } from '../studies/built-in-models.ts';
import { studyNamed } from '../studies/index.ts';
import { type FinishedRun, resolveConfig, trainAndExport } from '../studies/pipeline.ts';
import { parseSettings } from '../studies/settings.ts';
import type { TrainingConfig } from '../train/config.ts';

/** The providers that everybody has: a file does not depend on the GPU of who made it. */
const everyones: readonly ProviderName[] = ['cpu', 'wasm'];

/** What `auto` would choose may differ between machines. */
const engine = { engine: 'auto', device: 'cpu' } as const;

/** A recipe with everything written out. */
export function configOf(recipe: Recipe): TrainingConfig {
  const study = studyNamed(recipe.study);
  return resolveConfig(study, parseSettings(study, [recipe.settings]), { ...engine, ...recipe.overrides });
}

/** Trains, exports and verifies one model in a folder. @throws {DataError} if a provider's predictions are too far off. */
export async function buildModel(
  id: ModelId,
  folder: string,
  verifyProviders: readonly ProviderName[] = everyones,
): Promise<FinishedRun> {
  const config = configOf(recipes[id]);
  const run = await trainAndExport({
    ...{ config, folder, resume: false, verifyProviders },
    hasPrefixes: architectureNamed(config.model.name).prefixForward !== undefined,
  });
  if (run.interrupted) throw new DataError({ where: id, expected: 'a finished run', got: 'an interrupted one' });
  for (const { provider, ok, maxAbsolute } of run.parity) {
    if (!ok) throw new DataError({ where: `${id} on ${provider}`, expected: 'parity', got: `${maxAbsolute} off` });
  }
  return run;
}

function isModelId(name: string): name is ModelId {
  return Object.hasOwn(recipes, name);
}

async function main(names: readonly string[]): Promise<void> {
  const known = Object.keys(recipes);
  const ids = (names.length === 0 ? known : names).map((name) => {
    if (isModelId(name)) return name;
    throw unknownName('build-lab-models', name, known);
  });
  const output = fileURLToPath(new URL('../../web/models/', import.meta.url));
  mkdirSync(output, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), 'icl-lab-models-'));
  try {
    for (const id of ids) {
      const { model, frozen, loss, seconds } = await buildModel(id, join(scratch, id));
      copyFileSync(model, join(output, `${id}.onnx`));
      console.log(`${id}: ${frozen.bytes.length} bytes, loss ${loss.toPrecision(4)}, ${seconds.toFixed(1)} s`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2));
