/**
 * How threads of sessions start in Node. ONNX Runtime sets a processor's flag that takes numbers below 1e-38 for 0 once in a
 * process, in the thread that opens the first session of the CPU provider; a thread inherits it from the one that starts it. So one
 * thread, the keeper (`session-keeper.ts`), opens a session before anybody else does, and starts those that compute on the CPU:
 * all of them are then as fast as the first, and the caller's own arithmetic stays as it was.
 */
import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { compiledFile } from './compiled.ts';
import type { ProviderName } from './provider-table.ts';

/** What a thread that is started here finds as its `workerData`. */
export interface ThreadData<S> {
  readonly settings: S;
  /** Where it is spoken to. */
  readonly port: MessagePort;
}

export type ToKeeper =
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly file: string;
      readonly settings: { readonly provider: ProviderName };
      readonly port: MessagePort;
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

/** A thread of a session, which listens to the port in its {@link ThreadData}. */
export class SessionThread extends EventEmitter<Events> {
  readonly #port: MessagePort;
  readonly #terminate: () => void;
  readonly #ended: Promise<void>;
  #code: number | undefined;
  #isPortClosed = false;

  /** @param file In this folder, without its extension. */
  constructor(file: string, settings: { readonly provider: ProviderName }) {
    super();
    const path = compiledFile(import.meta.url, file); // Throws before there is a port, which would keep the process alive.
    const { port1, port2 } = new MessageChannel();
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
        this.#code = code;
        this.#end();
      },
    };
    this.#terminate =
      settings.provider === 'cpu' ? keep(path, settings, port2, hears) : start(path, settings, port2, hears);
  }

  postMessage(message: unknown, handedOver: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, handedOver);
  }

  /** Ends it at once. */
  terminate(): Promise<void> {
    this.#terminate();
    return this.#ended;
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

/** Starts a thread from this one. */
function start(path: string, settings: unknown, port: MessagePort, hears: Hears): () => void {
  const worker = startWorker(path, settings, port);
  worker.on('error', ({ message }) => hears.error(message));
  worker.on('exit', hears.exit);
  return () => worker.terminate();
}

export const startWorker = (path: string, settings: unknown, port: MessagePort): Worker =>
  new Worker(path, { workerData: { settings, port }, transferList: [port], execArgv: [] });

/** The thread that starts others, and those of its threads that live. */
let keeper: Worker | undefined;
const kept = new Map<number, Hears>();
let lastId = 0;

/** Starts a thread from the keeper. */
function keep(
  path: string,
  settings: { readonly provider: ProviderName },
  port: MessagePort,
  hears: Hears,
): () => void {
  const id = ++lastId;
  keeper ??= startKeeper();
  const say = (message: ToKeeper, moved: readonly MessagePort[] = []) => keeper?.postMessage(message, moved);
  kept.set(id, hears);
  keeper.ref();
  say({ kind: 'start', id, file: path, settings, port }, [port]);
  return () => say({ kind: 'terminate', id });
}

/** It lasts as long as the process, and holds it up only while one of its threads lives. */
function startKeeper(): Worker {
  const worker = new Worker(compiledFile(import.meta.url, 'session-keeper'), { execArgv: [] });
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
