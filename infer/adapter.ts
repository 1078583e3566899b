/** What a WebGPU adapter is called, and whether it is a GPU at all. For Node and browsers alike. */

/** `GPUAdapterInfo`, as far as we read it. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean | undefined;
}

/** `google swiftshader (SwiftShader driver 5.0.0)` */
export function formatAdapter({ vendor, architecture, description }: AdapterInfo): string {
  const name = [vendor, architecture].filter((part) => part !== '').join(' ');
  if (name === '') return description === '' ? 'unnamed adapter' : description;
  return description === '' ? name : `${name} (${description})`;
}

/** True for software that plays a GPU: correct and slow, and never what `auto` takes. */
export function isSoftwareAdapter({ vendor, architecture, description, isFallbackAdapter }: AdapterInfo): boolean {
  const name = `${vendor} ${architecture} ${description}`;
  return isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|softpipe/i.test(name);
}
