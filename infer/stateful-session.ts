/**
 * A stateful graph in a thread of its own, in Node: the caller's thread prepares the next run while this one computes, and
 * its event loop stays free. Provider and thread are chosen and checked here; what runs is `stateful-runner.ts`.
 */
import { ProviderError } from '../models/errors.ts';
import { type ProviderName, providerNamed } from './provider-table.ts';
import { requireProvider } from './providers.ts';
import { SessionThread } from './session-thread.ts';
import {
  copiedLength,
  type FeedLayout,
  type FromStateful,
  hasLayout,
  packFeeds,
  type StatefulSettings,
  type ToStateful,
} from './stateful-protocol.ts';
import type { Feed, StatefulGraph } from './stateful-runner.ts';
import { releaseWebgpuSlot, takeWebgpuSlot } from './webgpu-slot.ts';

export type { Feed, StatefulGraph } from './stateful-runner.ts';

export interface StatefulOptions {
  readonly provider: ProviderName;
  /** Threads of the CPU provider. */
  readonly threads: number;
}

/** A run that was started. */
export interface StartedStep {
  /** What its report outputs said, in the graph's order. Waits for the run; may be called more than once. */
  read(): Promise<readonly number[]>;
}

export interface StatefulSession {
  readonly provider: ProviderName;
  /** The GPU, or the software that plays one; null for cpu and wasm. */
  readonly adapter: string | null;
  /** Package and version. */
  readonly runtime: string;
  /** Replaces the state. The arrays are copied. */
  load(vectors: readonly Float32Array[]): void;
  /** Starts a run behind those that were started before. Arrays that do not stay are copied. After one that failed all fail. */
  step(feeds: readonly Feed[]): StartedStep;
  /** Copies of the state after all runs that were started. @throws {ProviderError} if one of them failed. */
  read(): Promise<readonly Float32Array[]>;
  /** Tensors alive in the thread after the last run it has answered. */
  tensorCount(): number;
  /** Lets runs that were started finish, then frees everything. */
  close(): Promise<void>;
}

/**
 * Opens a session; all numbers of its state are 0. It holds a thread until it is closed. WebGPU: one open session of any
 * kind in a process.
 * @throws {ProviderError} if the provider does not work here, cannot run the whole graph, or is WebGPU and taken.
 */
export async function openStatefulSession(graph: StatefulGraph, options: StatefulOptions): Promise<StatefulSession> {
  const { provider, threads } = options;
  // A GPU's driver is tried in another process first: it may crash this one, and it knows the adapter's name.
  const adapter = providerNamed(provider).canFallBack ? (await requireProvider(provider)).adapter : null;
  const settings: StatefulSettings = { provider, graph, threads };
  if (provider !== 'webgpu') return ThreadedSession.start(settings, adapter);
  await takeWebgpuSlot();
  try {
    return await ThreadedSession.start(settings, adapter, releaseWebgpuSlot);
  } catch (error) {
    releaseWebgpuSlot(Promise.resolve());
    throw error;
  }
}

/** An answer that has been asked for. */
class Waiting<T> {
  readonly answer: Promise<T>;
  isOver = false;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  constructor() {
    this.answer = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may be left alone although it fails.
    this.answer.catch(() => {});
  }

  resolve(value: T): void {
    this.isOver = true;
    this.#resolve(value);
  }

  reject(error: unknown): void {
    this.isOver = true;
    this.#reject(error);
  }
}

class ThreadedSession implements StatefulSession {
  readonly provider: ProviderName;
  readonly adapter: string | null;
  readonly runtime: string;
  readonly #worker: SessionThread;
  readonly #ended: Promise<void>;
  /** Memory that the thread sees too, by the number of its slot: its own for as many runs as were ever under way at once. */
  readonly #slots: Float32Array[] = [];
  /** Slots that no run is reading. */
  readonly #free: number[] = [];
  /** Inputs of the runs, as the thread knows them. */
  #layout: readonly FeedLayout[] = [];
  /** Slots of memory that is not this session's own. */
  readonly #shared = new Map<SharedArrayBuffer, number>();
  /** Runs without a report yet, oldest first. */
  readonly #steps: Waiting<readonly number[]>[] = [];
  readonly #readings: Waiting<readonly Float32Array[]>[] = [];
  readonly #reportsAreFree: boolean;
  readonly #onClose: (closed: Promise<void>) => void;
  #tensors: number;
  #failure: ProviderError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(
    worker: SessionThread,
    { provider }: StatefulSettings,
    adapter: string | null,
    opened: FromStateful & { kind: 'opened' },
    onClose: (closed: Promise<void>) => void,
  ) {
    this.#worker = worker;
    this.provider = provider;
    this.adapter = adapter;
    this.runtime = opened.runtime;
    this.#reportsAreFree = opened.reportsAreFree;
    this.#tensors = opened.tensors;
    this.#onClose = onClose;
    worker.on('message', (message) => this.#receive(message as FromStateful));
    worker.on('failure', (problem) => this.#fail(`the thread failed: ${problem}`));
    this.#ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#fail(`the thread ended with code ${code}`);
        resolve();
      });
    });
  }

  static async start(
    settings: StatefulSettings,
    adapter: string | null,
    onClose: (closed: Promise<void>) => void = () => {},
  ): Promise<ThreadedSession> {
    const thread = new SessionThread('stateful-worker', settings);
    const opened = await thread.opened<FromStateful>();
    return new ThreadedSession(thread, settings, adapter, opened, onClose);
  }

  load(vectors: readonly Float32Array[]): void {
    this.#requireOpen();
    this.#say({ kind: 'load', vectors });
  }

  step(feeds: readonly Feed[]): StartedStep {
    this.#requireOpen();
    const waiting = this.#wait(this.#steps);
    const slot = this.#takeSlot(copiedLength(feeds));
    const places = packFeeds(feeds, slot, this.#slots[slot]!, (shared) => this.#slotOf(shared));
    if (!hasLayout(feeds, this.#layout)) {
      this.#layout = feeds.map(({ name, shape }) => ({ name, shape: [...shape] }));
      this.#say({ kind: 'layout', layout: this.#layout });
    }
    this.#say({ kind: 'step', slot, places });
    return {
      read: () => {
        if (!waiting.isOver && !this.#reportsAreFree) this.#say({ kind: 'report' });
        return waiting.answer;
      },
    };
  }

  read(): Promise<readonly Float32Array[]> {
    this.#requireOpen();
    const waiting = this.#wait(this.#readings);
    this.#say({ kind: 'read' });
    return waiting.answer;
  }

  tensorCount(): number {
    return this.#tensors;
  }

  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#say({ kind: 'close' });
      this.#closed = this.#ended;
      this.#onClose(this.#closed);
    }
    return this.#closed;
  }

  #wait<T>(list: Waiting<T>[]): Waiting<T> {
    const waiting = new Waiting<T>();
    if (this.#failure === undefined) list.push(waiting);
    else waiting.reject(this.#failure);
    return waiting;
  }

  #requireOpen(): void {
    if (this.#closed === undefined) return;
    throw this.#error('it has been closed', 'Open another.');
  }

  /** The slot by which the thread knows memory that feeds lie in. */
  #slotOf(memory: SharedArrayBuffer): number {
    const known = this.#shared.get(memory);
    if (known !== undefined) return known;
    const slot = this.#slots.push(new Float32Array(memory)) - 1;
    this.#shared.set(memory, slot);
    this.#say({ kind: 'slot', slot, memory });
    return slot;
  }

  /** A slot with room for so many numbers. */
  #takeSlot(length: number): number {
    const slot = this.#free.pop() ?? this.#slots.length;
    if ((this.#slots[slot]?.length ?? -1) < length) {
      const memory = new SharedArrayBuffer(4 * length);
      this.#slots[slot] = new Float32Array(memory);
      this.#say({ kind: 'slot', slot, memory });
    }
    return slot;
  }

  #say(message: ToStateful): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromStateful): void {
    switch (message.kind) {
      case 'stepped':
        this.#free.push(message.slot);
        this.#report(message);
        break;
      case 'reported':
        this.#report(message);
        break;
      case 'state':
        this.#readings.shift()?.resolve(message.vectors);
        break;
      case 'failed':
        this.#fail(message.problem);
        break;
    }
  }

  #report({ reports, tensors }: FromStateful & { kind: 'stepped' | 'reported' }): void {
    this.#tensors = tensors;
    for (const report of reports) this.#steps.shift()?.resolve(report);
  }

  /** Whoever waits is told. */
  #fail(problem: string): void {
    this.#failure ??= this.#error(problem, undefined);
    for (const waiting of [...this.#steps.splice(0), ...this.#readings.splice(0)]) waiting.reject(this.#failure);
  }

  #error(got: string, remedy: string | undefined): ProviderError {
    return new ProviderError({
      where: `provider ${this.provider}`,
      expected: 'a session that runs',
      got,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
