/**
 * Fetches ONNX Runtime's CUDA provider, which the npm package does not contain: its own install script downloads it from
 * NuGet, and this project lets no install script run by itself.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `setup:cuda: expected Linux on x64, got ${process.platform} on ${process.arch}. Use --provider webgpu.`,
  );
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  [join(root, 'script', 'install.js'), '--onnxruntime-node-install=cuda12'],
  {
    stdio: 'inherit',
    cwd: root,
  },
);
if (status !== 0) {
  console.error(
    'setup:cuda: expected the CUDA provider from api.nuget.org, got an error (above). Check the network or proxy, then run it again.',
  );
  process.exit(1);
}
console.log('CUDA provider installed. It needs a CUDA 12 runtime, cuBLAS and cuDNN 9. Now run: icl doctor');
