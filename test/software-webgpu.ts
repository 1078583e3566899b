/** WebGPU without a GPU: Debian's chromium brings SwiftShader, a Vulkan driver in software. */
import { existsSync } from 'node:fs';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Points the Vulkan loader of this process, and of those it starts, to SwiftShader unless it points somewhere already. */
export function useSoftwareWebgpu(): void {
  if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(swiftShader)) {
    process.env['VK_ICD_FILENAMES'] = swiftShader;
  }
}
