/**
 * What the page and its workers say to each other: calls with an argument, progress on the way, one result or one error.
 * A call can be paused, resumed and cancelled. Knows no model and no method; those are `methods/*.ts`.
 */

export interface Call {
  readonly kind: 'call';
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

/** What can happen to a call under way. */
export interface Control {
  readonly kind: 'cancel' | 'pause' | 'resume';
  readonly id: number;
}

export type ToLab = Call | Control;

/** An error as it crosses: its class is only a name on the other side. */
export interface Problem {
  readonly name: string;
  readonly message: string;
}

export type FromLab =
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly problem: Problem };

/** What a method is given besides its argument. */
export interface CallContext<Progress> {
  /** Aborted when the page cancels the call. */
  readonly signal: AbortSignal;
  /** Tells the page how far the call is. */
  report(progress: Progress): void;
  /**
   * Lets the worker hear the page, which it cannot while it computes; waits while the call is paused. Call it between pieces
   * of work of some ten milliseconds. @throws the signal's reason once the call is cancelled.
   */
  turn(): Promise<void>;
}

/** A method that a worker has: `methods.ts` lists them, the page calls them by name. */
export type Method<Argument, Progress, Result> = (
  argument: Argument,
  context: CallContext<Progress>,
) => Promise<Result>;

export type ArgumentOf<M> = M extends Method<infer Argument, never, unknown> ? Argument : never;
export type ProgressOf<M> = M extends (argument: never, context: CallContext<infer Progress>) => unknown
  ? Progress
  : never;
export type ResultOf<M> = M extends (...parts: never[]) => Promise<infer Result> ? Result : never;
