/** When two configurations are the same training: the hash that a checkpoint carries, and the keys in which two differ. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../export/json.ts';
import type { TrainingConfig } from './config.ts';

/**
 * The part of a configuration that fixes the numbers of a run; two runs of equal identity give the same parameters on the
 * same engine and device. Not in it: these two, versions, how often something is written; and, with a constant
 * schedule, the number of steps, which then only says when to stop.
 */
function identityOf(config: TrainingConfig): Record<string, unknown> {
  const { engine: _engine, device: _device, versions: _versions, ...rest } = config;
  const { logEvery: _log, checkpointEvery: _checkpoint, ...numbers } = rest;
  if (config.schedule.name !== 'constant') return numbers;
  const { steps: _steps, ...withoutSteps } = numbers;
  return withoutSteps;
}

/** SHA-256 of the identity: what a checkpoint says it belongs to. */
export function configHash(config: TrainingConfig): string {
  return createHash('sha256')
    .update(canonicalJson('config', identityOf(config)))
    .digest('hex');
}

/** The keys in which two configurations train differently. */
export function differingKeys(a: TrainingConfig, b: TrainingConfig): string[] {
  const [left, right] = [identityOf(a), identityOf(b)];
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const textOf = (value: unknown) => (value === undefined ? '' : canonicalJson('config', value));
  return keys.filter((key) => textOf(left[key]) !== textOf(right[key]));
}
