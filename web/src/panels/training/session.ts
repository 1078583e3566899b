/**
 * One training as the page follows it: what it is, how far it is, and all that was seen of it. Talks to the worker; draws
 * nothing. Fires `change` whenever there is something new.
 */
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { Lab } from '../../app/lab.ts';
import { isCancelled } from '../../worker/client.ts';
import type { TrainingRequest } from '../../worker/training/request.ts';
import type { FrozenTraining, Preparation, Seen, TrainingFrame } from '../../worker/training/runs.ts';

export type Phase = 'preparing' | 'ready' | 'starting' | 'running' | 'paused' | 'done' | 'failed';

export class TrainingSession extends EventTarget {
  readonly #lab: Lab;
  #aborter = new AbortController();
  #run = '';
  #count = 0;
  phase: Phase = 'preparing';
  request: TrainingRequest | undefined;
  /** What is to be trained; undefined until the worker has read the request, or where it cannot be. */
  preparation: Preparation | undefined;
  /** Why the request cannot be trained, or why training failed. */
  problem: string | undefined;
  step = 0;
  /** Of every step. */
  losses: number[] = [];
  looks: Seen[] = [];
  matrix: TrainingFrame['matrix'] = null;
  stepsPerSecond = 0;
  engine: TrainingFrame['engine'] | undefined;
  /** It was stopped before its last step. */
  isInterrupted = false;

  constructor(lab: Lab) {
    super();
    this.#lab = lab;
  }

  get isUnderWay(): boolean {
    return this.phase === 'starting' || this.phase === 'running' || this.phase === 'paused';
  }

  /** Whether there is a model to take away. */
  get hasModel(): boolean {
    return this.step > 0 && this.looks.length > 0;
  }

  /** Reads a request; what was trained before is let go. The latest call wins. */
  async prepare(request: TrainingRequest): Promise<void> {
    this.#end();
    const { signal } = this.#aborter;
    this.request = request;
    this.phase = 'preparing';
    this.#clear();
    this.#changed();
    try {
      this.preparation = await this.#lab.foreground.call('prepareTraining', request, { signal });
      this.problem = undefined;
      this.phase = 'ready';
    } catch (error) {
      if (isCancelled(error)) return;
      this.preparation = undefined;
      this.#fail(error);
    }
    this.#changed();
  }

  /** Trains from the beginning. */
  async start(provider: WebProvider, stopAt: number | null, isSingle: boolean): Promise<void> {
    const { request } = this;
    if (request === undefined || this.preparation === undefined) return;
    this.#end();
    const { signal } = this.#aborter;
    this.#clear();
    this.problem = undefined;
    this.phase = 'starting';
    this.#count += 1;
    this.#run = `training-${this.#count}`;
    this.#changed();
    try {
      const { isInterrupted } = await this.#lab.trainer.call(
        'train',
        { run: this.#run, request, provider, stopAt, isSingle },
        { signal, onProgress: (frame) => this.#take(frame) },
      );
      this.phase = 'done';
      this.isInterrupted = isInterrupted;
    } catch (error) {
      if (isCancelled(error)) return;
      this.#fail(error);
    }
    this.#changed();
  }

  /** What figures are drawn of. */
  seen() {
    const { step, losses, looks, matrix, engine } = this;
    return { step, losses, looks, matrix, engine };
  }

  steer(command: 'pause' | 'resume' | 'step' | 'stop'): void {
    this.#say({ command });
  }

  /** Changes where a training under way will wait. */
  setStop(at: number | null): void {
    if (this.isUnderWay) this.#say({ command: 'pause', at });
  }

  freeze(): Promise<FrozenTraining> {
    return this.#lab.trainer.call('freezeTraining', { run: this.#run });
  }

  #say(command: { readonly command: 'pause' | 'resume' | 'step' | 'stop'; readonly at?: number | null }): void {
    this.#lab.trainer.call('steerTraining', { run: this.#run, ...command }).catch((error: unknown) => {
      this.#fail(error);
      this.#changed();
    });
  }

  #take({ step, losses, looks, matrix, isPaused, stepsPerSecond, engine }: TrainingFrame): void {
    this.step = step;
    this.losses.push(...losses);
    this.looks.push(...looks);
    this.matrix = matrix ?? this.matrix;
    this.phase = isPaused ? 'paused' : 'running';
    this.stepsPerSecond = stepsPerSecond;
    this.engine = engine;
    this.#changed();
  }

  #end(): void {
    this.#aborter.abort();
    this.#aborter = new AbortController();
  }

  #clear(): void {
    [this.step, this.stepsPerSecond] = [0, 0];
    [this.losses, this.looks, this.matrix] = [[], [], null];
    this.engine = undefined;
    this.isInterrupted = false;
  }

  #fail(error: unknown): void {
    this.problem = (error as Error).message;
    this.phase = 'failed';
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
