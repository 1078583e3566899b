/** What `auto` means, and what is said to those who ask for what does not go together. */
import { describe, expect, test } from 'vitest';
import { probeProvider } from '../../infer/providers.ts';
import { UsageError } from '../../models/errors.ts';
import { engineWith, resolveEngine } from '../../train/choose-engine.ts';
import { probeDevice } from '../../train/devices.ts';
import { checkEngineDevice, deviceNames, engineNames, engineTable } from '../../train/engine-table.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';

useSoftwareWebgpu();

const small = { batch: 256, context: 20, dimension: 5 };
const large = { batch: 4096, context: 40, dimension: 20 };

describe('resolveEngine', () => {
  test.each([
    ['onnx', 'cuda'],
    ['onnx', 'webgpu'],
    ['onnx', 'cpu'],
    ['tfjs', 'tensorflow-gpu'],
    ['tfjs', 'wasm'],
  ] as const)('%s takes a run on %s', async (engine, device) => {
    expect(engineWith(device)).toBe(engine);
    expect(await resolveEngine({ engine: 'auto', device }, small)).toEqual({ engine, device });
    expect(await resolveEngine({ engine: 'auto', device }, large)).toEqual({ engine, device });
  });

  test('what was asked for is not replaced', async () => {
    for (const { name: engine, devices } of engineTable) {
      for (const device of devices) {
        expect(await resolveEngine({ engine, device }, small)).toEqual({ engine, device });
      }
    }
  });

  test('small steps run on the processor, whatever GPU there is', async () => {
    expect(await resolveEngine({ engine: 'auto', device: 'auto' }, small)).toEqual({ engine: 'onnx', device: 'cpu' });
    expect(await resolveEngine({ engine: 'onnx', device: 'auto' }, small)).toEqual({ engine: 'onnx', device: 'cpu' });
  });

  test('large steps run on a GPU if one works that is no software', async () => {
    const hardware = async (probe: Promise<{ available: boolean; isSoftware: boolean }>) => {
      const { available, isSoftware } = await probe;
      return available && !isSoftware;
    };
    const expected = (await hardware(probeProvider('cuda')))
      ? { engine: 'onnx', device: 'cuda' }
      : (await hardware(probeDevice('tensorflow-gpu')))
        ? { engine: 'tfjs', device: 'tensorflow-gpu' }
        : (await hardware(probeProvider('webgpu')))
          ? { engine: 'onnx', device: 'webgpu' }
          : { engine: 'onnx', device: 'cpu' };
    expect(await resolveEngine({ engine: 'auto', device: 'auto' }, large)).toEqual(expected);
  });
});

describe('the table', () => {
  test('names each engine and each device once', () => {
    expect(engineNames).toEqual(['onnx', 'tfjs']);
    expect(deviceNames).toEqual(['cuda', 'webgpu', 'cpu', 'tensorflow-gpu', 'wasm']);
  });

  test('an engine without the device is refused, and the one that has it is named', () => {
    const check = () => checkEngineDevice('run', 'onnx', 'wasm');
    expect(check).toThrow(UsageError);
    expect(check).toThrow(
      'run: device: expected a device of the engine onnx: cuda, webgpu, cpu, got wasm. The engine tfjs has it.',
    );
    expect(() => checkEngineDevice('run', 'tfjs', 'cuda')).toThrow('The engine onnx has it.');
    for (const engine of engineNames) expect(() => checkEngineDevice('run', engine, 'auto')).not.toThrow();
    for (const device of deviceNames) expect(() => checkEngineDevice('run', 'auto', device)).not.toThrow();
  });
});
