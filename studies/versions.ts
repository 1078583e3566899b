/** Which versions of what made a run: for its configuration and its report. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { version } from '../models/version.ts';

const packages = ['@tensorflow/tfjs', 'onnxruntime-node', 'onnxruntime-web', 'onnx-proto'] as const;

/** The installed version of a package; it need not export its package.json. */
function versionOf(name: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const file = folders.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path));
  if (file === undefined) return 'not installed';
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

/** By name: this package, Node, the platform, the libraries that compute. */
export function versionsHere(): Record<string, string> {
  return {
    'icl-onnx': version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
  };
}
