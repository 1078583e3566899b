/**
 * Tests that need something a machine may lack: a provider, a device, a program. Without it they are skipped and the
 * name is printed, so that a skip is never silent; `ICL_REQUIRE=webgpu,chromium` (or `all`) turns those skips into failures.
 *
 *     describe.runIf(requireOrSkip('webgpu', probe.available, probe.detail))('webgpu', () => { .. });
 */

/**
 * Whether to run the tests that need `name`.
 * @throws {Error} when it is not available although `ICL_REQUIRE` lists it.
 */
export function requireOrSkip(name: string, isAvailable: boolean, reason: string): boolean {
  if (isAvailable) return true;
  const required = (process.env['ICL_REQUIRE'] ?? '').split(',').map((word) => word.trim());
  if (required.includes(name) || required.includes('all')) {
    throw new Error(`ICL_REQUIRE: expected ${name} to be available, got "${reason}".`);
  }
  // Not console.log: vitest would hold it back and prefix it.
  process.stderr.write(`skipped, needs ${name}: ${reason}\n`);
  return false;
}
