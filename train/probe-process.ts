/**
 * The program behind `probeDevice`: loads the device named by its argument, computes 2^2 and 3^2 on it and prints what
 * happened as one JSON line. A process of its own, since a GPU driver may crash or print.
 */
import { IclError } from '../models/errors.ts';
import { type DeviceName, loadDevice } from './tfjs.ts';

/** What the process prints. */
export interface DeviceReport {
  /** Null if the device works, otherwise why it does not. */
  readonly problem: string | null;
  readonly runtime: string | null;
  readonly adapter: string | null;
  readonly isSoftware: boolean;
}

async function probe(name: DeviceName): Promise<DeviceReport> {
  try {
    const { tf, runtime, adapter, isSoftware } = await loadDevice(name);
    const got = (await tf.square(tf.tensor1d([2, 3])).data()).join(', ');
    return { problem: got === '4, 9' ? null : `wrong numbers: 2^2, 3^2 = ${got}`, runtime, adapter, isSoftware };
  } catch (error) {
    const problem = error instanceof IclError ? error.got : String(error).split('\n')[0]!;
    return { problem, runtime: null, adapter: null, isSoftware: false };
  }
}

const report = await probe(process.argv[2] as DeviceName);
// A GPU device keeps the process alive otherwise.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
