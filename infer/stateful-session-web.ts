/**
 * A stateful graph in a browser, on the thread that opens it: runs wait for one another in a queue. A page that must stay
 * responsive opens it in a web worker of its own. What runs is `stateful-runner.ts`, as in Node.
 */
import { ProviderError } from '../models/errors.ts';
import { condense, runtimeVersion } from './onnxruntime.ts';
import type { ProviderName } from './provider-table.ts';
import { type Feed, openStatefulRunner, type StatefulGraph, type StatefulRunner } from './stateful-runner.ts';
import type { StatefulSession } from './stateful-session.ts';
import { loadWebRuntime, type WebRuntime } from './web-runtime.ts';
import { inTurn } from './webgpu-turns.ts';

export interface StatefulWebOptions {
  readonly provider: ProviderName | 'auto';
  /** Where the page serves onnxruntime-web's `.wasm` files, ending in `/`; null: beside its script. */
  readonly wasmPaths: string | null;
}

/**
 * Opens a session; all numbers of its state are 0.
 * @throws {ProviderError} if the provider does not work here or cannot run the whole graph.
 */
export async function openStatefulSessionWeb(
  graph: StatefulGraph,
  { provider: requested, wasmPaths }: StatefulWebOptions,
): Promise<StatefulSession> {
  const runtime = await loadWebRuntime(requested, wasmPaths);
  const { ort, provider } = runtime;
  try {
    return createQueue(runtime, await inTurn(provider, () => openStatefulRunner(ort, graph, provider, 1)));
  } catch (cause) {
    throw refused(provider, condense(cause), cause);
  }
}

const refused = (provider: string, got: string, cause?: unknown): ProviderError =>
  new ProviderError({ where: `provider ${provider}`, expected: 'a session that runs', got, cause });

function createQueue({ ort, provider, adapter }: WebRuntime, runner: StatefulRunner): StatefulSession {
  let last: Promise<unknown> = Promise.resolve();
  let failure: ProviderError | undefined;
  let closed: Promise<void> | undefined;
  /** Reports by the number of their run, until they are read; a run whose report is never asked for keeps none. */
  const reports = new Map<number, readonly number[]>();
  let [started, reported] = [0, 0];

  /** Does something after all that was asked for before; after a failure nothing is done any more. */
  const enqueue = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed !== undefined) throw refused(provider, 'it has been closed');
    const done = last.then(async () => {
      if (failure !== undefined) throw failure;
      try {
        return await inTurn(provider, work);
      } catch (cause) {
        failure = refused(provider, condense(cause), cause);
        throw failure;
      }
    });
    last = done.catch(() => {});
    return done;
  };
  const takeReports = async (): Promise<void> => {
    for (const report of await runner.takeReports()) reports.set(reported++, report);
  };

  return {
    provider,
    adapter,
    runtime: runtimeVersion(ort),
    load(vectors) {
      const copies = vectors.map((vector) => Float32Array.from(vector));
      void enqueue(async () => runner.load(copies)).catch(() => {});
    },
    step(feeds) {
      const copies = feeds.map((feed): Feed => ({ ...feed, values: Float32Array.from(feed.values) }));
      const number = started++;
      const ran = enqueue(async () => {
        await runner.step(copies);
        if (runner.reportsAreFree) await takeReports();
      });
      ran.catch(() => {});
      let answer: Promise<readonly number[]> | undefined;
      return {
        read() {
          answer ??= ran.then(async () => {
            if (!reports.has(number)) await enqueue(takeReports);
            const report = reports.get(number)!;
            reports.delete(number);
            return report;
          });
          return answer;
        },
      };
    },
    read: () => enqueue(() => runner.read()),
    tensorCount: () => runner.tensorCount(),
    close() {
      closed ??= last.then(() => inTurn(provider, () => runner.close()));
      return closed;
    },
  };
}
