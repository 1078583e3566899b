/**
 * Installs `@tensorflow/tfjs-node-gpu` (an optional peer: 300 MB with its tree) and runs the install script that fetches
 * libtensorflow and its Node addon, since this project lets no install script run by itself.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const name = '@tensorflow/tfjs-node-gpu';
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  peerDependencies: Record<string, string>;
};
const version = manifest.peerDependencies[name];

const step = (command: string, args: string[], cwd: string): boolean =>
  spawnSync(command, args, { stdio: 'inherit', cwd }).status === 0;

const [major = 0] = process.versions.node.split('.').map(Number);
if (major >= 23) {
  console.error(`setup:tensorflow-gpu: expected Node 22 or older for ${name} ${version}, got ${process.version}.`);
  console.error('Use --device webgpu, or an older Node.');
  process.exit(1);
}
const isInstalled =
  step('npm', ['install', '--no-save', '--ignore-scripts', `${name}@${version}`], root) &&
  step(process.execPath, ['scripts/install.js', 'gpu', 'download'], join(root, 'node_modules', name));
if (!isInstalled) {
  console.error('setup:tensorflow-gpu: expected the addon and libtensorflow 2.9.1 from storage.googleapis.com, got an');
  console.error('error (above). Check the network or proxy, then run it again.');
  process.exit(1);
}
console.log('TensorFlow addon installed. It needs CUDA 11.2 and cuDNN 8.1. Now run: icl doctor');
