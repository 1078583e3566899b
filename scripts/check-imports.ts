/**
 * Checks that imports only flow one way through the house: models, export, infer, train, studies, web, cli. And that each
 * heavy or native library is imported in the one place that owns it. Prints every offence with what to do instead.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const order = ['models', 'export', 'infer', 'train', 'studies', 'web', 'cli'] as const;

/** Which files may import a package, as prefixes of their paths. A package that is not listed may be imported anywhere. */
const owners: readonly { readonly module: RegExp; readonly files: readonly string[]; readonly instead: string }[] = [
  {
    module: /^onnx-proto/,
    files: ['export/serialize.ts', 'export/parse.ts'],
    instead: 'Use export/serialize.ts or export/parse.ts.',
  },
  { module: /^onnxruntime-node/, files: ['infer/'], instead: 'Use infer/session-node.ts.' },
  { module: /^onnxruntime-web/, files: ['infer/'], instead: 'Use infer/session-node.ts or infer/session-web.ts.' },
  { module: /^@tensorflow\//, files: ['train/'], instead: 'Use the engine in train/.' },
  {
    module: /^webgpu$/,
    files: ['train/', 'infer/'],
    instead: 'Use a probe in infer/providers.ts or train/engines.ts.',
  },
  { module: /^(commander|cli-progress)/, files: ['cli/'], instead: 'Only the command line parses and prints.' },
  {
    module: /^(node:fs|node:child_process|node:worker_threads|node:http)/,
    files: [
      'export/',
      'infer/',
      'train/',
      'studies/',
      'web/build/',
      'web/vite.config.ts',
      'cli/',
      'scripts/',
      'bench/',
    ],
    instead: 'models/ is pure: no file system, no processes.',
  },
];

const importPattern = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** What stands against the current in one file. */
function offences(file: string, source: string, root: string): string[] {
  const found: string[] = [];
  const folder = file.split('/')[0]!;
  const rank = order.indexOf(folder as (typeof order)[number]);
  for (const match of source.matchAll(importPattern)) {
    const specifier = match[1]!;
    if (!specifier.startsWith('.')) {
      const owner = owners.find(({ module }) => module.test(specifier));
      if (owner !== undefined && !owner.files.some((prefix) => file.startsWith(prefix))) {
        found.push(`${file} imports ${specifier}. ${owner.instead}`);
      }
      continue;
    }
    const target = relative(root, resolve(root, dirname(file), specifier))
      .split(sep)
      .join('/');
    const targetFolder = target.split('/')[0]!;
    const targetRank = order.indexOf(targetFolder as (typeof order)[number]);
    if (targetFolder === 'test') found.push(`${file} imports ${target}. Nothing imports test/.`);
    if (rank >= 0 && targetRank > rank) {
      found.push(
        `${file} imports ${target}. ${folder}/ stands before ${targetFolder}/: pass what it needs as an argument, or move the code to ${targetFolder}/.`,
      );
    }
  }
  return found;
}

/** All offences in a checkout, one sentence each. */
export function checkImports(root: string): string[] {
  const folders = [...order, 'scripts', 'bench'];
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => {
        const file = `${folder}/${name.split(sep).join('/')}`;
        return offences(file, readFileSync(join(root, file), 'utf8'), root);
      }),
  );
}

/** Every way from the browser's entry to something that only Node has. */
export function checkBrowserEntry(root: string): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = readFileSync(join(root, file), 'utf8').replaceAll(/^(import|export) type [^;]*;/gm, '');
    for (const match of source.matchAll(importPattern)) {
      const specifier = match[1]!;
      if (specifier.startsWith('.'))
        visit(
          relative(root, resolve(root, dirname(file), specifier))
            .split(sep)
            .join('/'),
        );
      else if (/^(node:|onnxruntime-node|webgpu$)/.test(specifier)) {
        found.push(
          `${file} imports ${specifier}, and the browser's entry imports ${file}. Pass it in, or split the file.`,
        );
      }
    }
  };
  visit('index-browser.ts');
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const found = [...checkImports(root), ...checkBrowserEntry(root)];
  for (const offence of found) console.error(offence);
  console.log(found.length === 0 ? 'imports: all flow one way' : `imports: ${found.length} against the current`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
