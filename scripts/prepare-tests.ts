/**
 * Brings what the tests need besides npm packages: a Chromium (its SwiftShader is also the Vulkan driver for WebGPU
 * without a GPU), the Vulkan loader, and Python's onnx for the official checker. Installs with apt-get when it may, and
 * says what it does; otherwise prints which tests will be skipped and why.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

interface Need {
  readonly debianPackage: string;
  readonly purpose: string;
  isThere(): boolean;
}

const succeeds = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const needs: readonly Need[] = [
  {
    debianPackage: 'chromium',
    purpose: 'the page and WebGPU on SwiftShader',
    isThere: () => existsSync('/usr/bin/chromium') && existsSync('/usr/lib/chromium/vk_swiftshader_icd.json'),
  },
  {
    debianPackage: 'libvulkan1',
    purpose: 'WebGPU',
    isThere: () => succeeds('sh', '-c', 'ldconfig -p | grep -q libvulkan.so.1'),
  },
  {
    debianPackage: 'python3-onnx',
    purpose: 'the official ONNX checker',
    isThere: () => succeeds('/usr/bin/python3', '-c', 'import onnx'),
  },
  {
    debianPackage: 'python3-numpy',
    purpose: 'the official ONNX checker and independent readers',
    isThere: () => succeeds('/usr/bin/python3', '-c', 'import numpy'),
  },
];

/** How to call apt-get here without a password, or undefined. */
function aptGet(): string[] | undefined {
  if (!succeeds('sh', '-c', 'command -v apt-get')) return undefined;
  if (process.getuid?.() === 0) return ['apt-get'];
  return succeeds('sudo', '-n', 'true') ? ['sudo', '-n', 'apt-get'] : undefined;
}

function install(apt: string[], packages: string[]): boolean {
  const run = (...args: string[]) =>
    spawnSync(apt[0]!, [...apt.slice(1), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  return run('update') && run('install', '-y', '--no-install-recommends', ...packages);
}

const missing = needs.filter((need) => !need.isThere());
if (missing.length > 0) {
  const packages = missing.map((need) => need.debianPackage);
  const apt = aptGet();
  if (apt === undefined) {
    console.error(`tests: apt-get cannot be used here, so these are missing: ${packages.join(', ')}`);
  } else {
    console.error(`tests: installing Debian packages ${packages.join(', ')}`);
    install(apt, packages);
  }
  for (const need of missing.filter((one) => !one.isThere())) {
    console.error(`tests: without ${need.debianPackage}, tests of ${need.purpose} are skipped`);
  }
}
