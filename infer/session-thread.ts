/**
 * How threads of sessions start in Node. ONNX Runtime sets a processor's flag that takes numbers below 1e-38 for 0 once in a
 * process, in the thread that opens the first session of the CPU provider; a thread inherits it from the one that starts it. So one
 * thread, the keeper (`session-keeper.ts`), opens a session before anybody else does, and starts those that compute on the CPU:
 * all of them are then as fast as the first, and the caller's own arithmetic stays as it was.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { compiledFile } from './compiled.ts';
import { allocateCallState, awaitCallsNow, type CallState, stopCalls } from './native-calls.ts';
import type { ProviderName } from './provider-table.ts';
import { providerUnavailable } from './providers.ts';

/** What a thread that is started here finds as its `workerData`. */
export interface ThreadData<S> {
  readonly settings: S;
  /** Where it is spoken to. */
  readonly port: MessagePort;
  /** Where it says that it is in a native call. */
  readonly calls: CallState;
}

/** The same of the keeper. */
export type KeeperData = Pick<ThreadData<never>, 'calls'>;

export type ToKeeper =
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly file: string;
      readonly settings: Settings;
      readonly port: MessagePort;
      readonly calls: CallState;
    }
  | { readonly kind: 'terminate'; readonly id: number };

/** What became of a thread: it failed, and then it ended. */
export type FromKeeper =
  | { readonly kind: 'error'; readonly id: number; readonly problem: string }
  | { readonly kind: 'exit'; readonly id: number; readonly code: number };

interface Events {
  message: [message: unknown];
  /** `exit` follows. */
  failure: [problem: string];
  /** It has ended, and all its messages have been given. */
  exit: [code: number];
}

/** Before anything else a thread says that its session is open, or why it is not. */
interface Refusal {
  readonly kind: 'refused';
  readonly problem: string;
}

/** A thread of a session, which listens to the port in its {@link ThreadData}. */
export class SessionThread extends EventEmitter<Events> {
  readonly #provider: ProviderName;
  readonly #port: MessagePort;
  readonly #calls = allocateCallState();
  readonly #terminate: () => void;
  readonly #ended: Promise<void>;
  #code: number | undefined;
  #isPortClosed = false;

  /** @param file In this folder, without its extension. */
  constructor(file: string, settings: Settings) {
    super();
    const path = compiledFile(import.meta.url, file); // Throws before there is a port, which would keep the process alive.
    const { port1, port2 } = new MessageChannel();
    this.#provider = settings.provider;
    this.#port = port1;
    port1.on('message', (message) => this.emit('message', message));
    port1.on('close', () => {
      this.#isPortClosed = true;
      this.#end();
    });
    this.#ended = new Promise((resolve) => this.once('exit', () => resolve()));
    const hears = {
      error: (problem: string) => this.emit('failure', problem),
      exit: (code: number) => {
        leave(this.#calls);
        this.#code = code;
        this.#end();
      },
    };
    join(this.#calls);
    const begin = settings.provider === 'cpu' ? keep : start;
    this.#terminate = begin(path, { settings, port: port2, calls: this.#calls }, hears);
  }

  /**
   * Waits for what it says first: that its session is open. To be asked at once.
   * @throws {ProviderError} if ONNX Runtime does not open it, or the thread has ended; it has then.
   */
  async opened<M extends { readonly kind: string }>(): Promise<Extract<M, { kind: 'opened' }>> {
    const first = await new Promise<M | Refusal>((resolve) => {
      const refuse = (problem: string) => resolve({ kind: 'refused', problem });
      this.once('message', (message) => resolve(message as M));
      this.once('failure', (problem) => refuse(`the thread failed: ${problem}`));
      this.once('exit', (code) => refuse(`the thread ended with code ${code}`));
    });
    if (first.kind === 'opened') return first as Extract<M, { kind: 'opened' }>;
    await this.terminate();
    throw providerUnavailable(this.#provider, (first as Refusal).problem, null);
  }

  postMessage(message: unknown, handedOver: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, handedOver);
  }

  /** Ends it as soon as it is in no native call. */
  async terminate(): Promise<void> {
    while (this.#code === undefined && !stopCalls(this.#calls)) await sleep(1);
    this.#terminate();
    await this.#ended;
  }

  /** What it said before it ended may still be on its way. */
  #end(): void {
    if (this.#code !== undefined && this.#isPortClosed) this.emit('exit', this.#code);
  }
}

interface Hears {
  error(problem: string): void;
  exit(code: number): void;
}

type Settings = { readonly provider: ProviderName };

/** Starts a thread from this one. */
function start(path: string, data: ThreadData<Settings>, hears: Hears): () => void {
  const worker = startWorker(path, data);
  worker.on('error', ({ message }) => hears.error(message));
  worker.on('exit', hears.exit);
  return () => worker.terminate();
}

export const startWorker = (path: string, data: ThreadData<Settings>): Worker =>
  new Worker(path, { workerData: data, transferList: [data.port], execArgv: [] });

/** The thread that starts others, and those of its threads that live. */
let keeper: Worker | undefined;
const kept = new Map<number, Hears>();
let lastId = 0;

/** Starts a thread from the keeper. */
function keep(path: string, data: ThreadData<Settings>, hears: Hears): () => void {
  const id = ++lastId;
  keeper ??= startKeeper();
  const say = (message: ToKeeper, moved: readonly MessagePort[] = []) => keeper?.postMessage(message, moved);
  kept.set(id, hears);
  keeper.ref();
  say({ kind: 'start', id, file: path, ...data }, [data.port]);
  return () => say({ kind: 'terminate', id });
}

/** It lasts as long as the process, and holds it up only while one of its threads lives. */
function startKeeper(): Worker {
  const calls = allocateCallState();
  const workerData: KeeperData = { calls };
  const worker = new Worker(compiledFile(import.meta.url, 'session-keeper'), { workerData, execArgv: [] });
  join(calls);
  worker.on('message', (message: FromKeeper) => {
    const hears = kept.get(message.id);
    if (message.kind === 'error') hears?.error(message.problem);
    else {
      kept.delete(message.id);
      if (kept.size === 0) worker.unref();
      hears?.exit(message.code);
    }
  });
  let problem = 'the thread that started it ended';
  worker.on('error', ({ message }) => {
    problem = `the thread that started it failed: ${message}`;
  });
  worker.on('exit', (code) => {
    leave(calls);
    keeper = undefined;
    const orphans = [...kept.values()];
    kept.clear();
    for (const hears of orphans) {
      hears.error(problem);
      hears.exit(code);
    }
  });
  return worker;
}

/** What says whether a thread that lives is in a native call. */
const calling = new Set<CallState>();
const awaitAllNow = () => awaitCallsNow(calling);

function join(calls: CallState): void {
  if (calling.size === 0) process.on('exit', awaitAllNow);
  calling.add(calls);
}

function leave(calls: CallState): void {
  calling.delete(calls);
  if (calling.size === 0) process.off('exit', awaitAllNow);
}
