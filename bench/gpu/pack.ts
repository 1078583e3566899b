/**
 * `node dist/bench/gpu/pack.js [FOLDER]`: gathers what a Linux machine without a network needs to run `bench/gpu/run.ts`: this
 * Node, the compiled library, the packages it needs at run time, the Vulkan loader, and ONNX Runtime's CUDA provider if it is
 * installed here. Makes the folder and `FOLDER.tar.gz`.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = resolve(process.argv[2] ?? 'icl-onnx-gpu');

/** Parts of packages that a GPU run in Node does not read. */
const unneeded = [
  /\.(map|d\.ts|d\.mts|md|flow)$/,
  /^onnxruntime-node\/bin\/napi-v6\/(win32|darwin|linux\/arm64)/,
  // The provider wasm in Node takes one of its builds.
  /^onnxruntime-web\/dist\/.*(jsep|asyncify|jspi|webgpu|webgl|\.all\.).*$/,
  /^onnxruntime-web\/(lib|docs)\//,
  /^@tensorflow\/[^/]+\/(src|benchmarks|scripts|demos)\//,
  /^@tensorflow\/[^/]+\/dist\/tf-[^/]*\.(es2017|fesm|min)[^/]*\.js$/,
  /^webgpu\/dist\/(win32|darwin|linux-arm64)/,
  /^(playwright-core|typescript|vite|vitest)\//,
];

/** Packages in node_modules that the library needs at run time, theirs included. */
function runtimePackages(): Set<string> {
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    const place = [join(from, 'node_modules', name), join(root, 'node_modules', name)].find((path) => existsSync(path));
    if (place === undefined) return; // an optional one that is not installed
    const path = relative(join(root, 'node_modules'), place).split(sep).join('/');
    if (found.has(path)) return;
    found.add(path);
    const { dependencies = {} } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) visit(dependency, place);
  };
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) visit(name, root);
  return found;
}

/** A library by the name that programs load it by. */
function systemLibrary(name: string): string | undefined {
  const places = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/lib/x86_64-linux-gnu', '/usr/lib'];
  return places.map((place) => join(place, name)).find((path) => existsSync(path));
}

function sizeOf(path: string): string {
  return execFileSync('du', ['-sh', path], { encoding: 'utf8' }).split('\t')[0]!;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'lib'), { recursive: true });
copyFileSync(realpathSync(process.execPath), join(folder, 'node'));
chmodSync(join(folder, 'node'), 0o755);
copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
cpSync(join(root, 'dist'), join(folder, 'dist'), {
  recursive: true,
  filter: (path) => !/\.(map|d\.ts|tsbuildinfo)$/.test(path),
});
cpSync(join(root, 'bench/peers'), join(folder, 'bench/peers'), {
  recursive: true,
  filter: (path) => !path.includes('__pycache__'),
});
const packages = realpathSync(join(root, 'node_modules'));
for (const name of runtimePackages()) {
  cpSync(join(packages, name), join(folder, 'node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (path) => {
      const inside = relative(packages, path).split(sep).join('/');
      return !unneeded.some((pattern) => pattern.test(inside));
    },
  });
}
const vulkan = systemLibrary('libvulkan.so.1');
if (vulkan !== undefined) copyFileSync(realpathSync(vulkan), join(folder, 'lib/libvulkan.so.1'));
copyFileSync(join(root, 'bench/gpu/run.sh'), join(folder, 'run.sh'));
copyFileSync(join(root, 'bench/gpu/README.md'), join(folder, 'README.md'));
chmodSync(join(folder, 'run.sh'), 0o755);
const cuda = join(folder, 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so');
const contents = {
  vulkanLoader: vulkan !== undefined,
  cudaProvider: existsSync(cuda) && statSync(cuda).size > 0,
};
writeFileSync(join(folder, 'contents.json'), `${JSON.stringify(contents, null, 2)}\n`);
// Binaries compress little: the quickest level.
const tar = ['--use-compress-program', 'gzip -1', '-cf', `${folder}.tar.gz`, '-C', dirname(folder), basename(folder)];
execFileSync('tar', tar);
process.stdout.write(`${folder} (${sizeOf(folder)}), ${folder}.tar.gz (${sizeOf(`${folder}.tar.gz`)})\n`);
for (const [name, isThere] of Object.entries(contents))
  process.stdout.write(`${name}: ${isThere ? 'packed' : 'not here'}\n`);
