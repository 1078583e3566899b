/**
 * The frozen models that a worker has open, by the page's id: read once, a session for each provider that was asked for.
 * Two providers of one model may be open side by side.
 */
import { isFrozen, type RunnableModel, readRunnable } from '../../../export/read-model.ts';
import { withoutPrefixes } from '../../../export/without-prefixes.ts';
import type { InferenceSession } from '../../../infer/session.ts';
import { openSession } from '../../../infer/session-web.ts';
import type { WebProvider } from '../../../infer/web-runtime.ts';

interface OpenModel {
  readonly model: RunnableModel;
  /** By provider and whether it has prefixes. */
  readonly sessions: Map<string, Promise<InferenceSession>>;
}

const open = new Map<string, OpenModel>();

/** @throws {DataError} if the bytes are no model of ours. */
export function addModel(id: string, name: string, bytes: Uint8Array): RunnableModel {
  const known = open.get(id);
  if (known !== undefined) return known.model;
  const model = readRunnable(name, bytes);
  open.set(id, { model, sessions: new Map() });
  return model;
}

export function modelNamed(id: string): RunnableModel {
  return entry(id).model;
}

export interface SessionChoice {
  /** Whether to have the prefix predictions of a model that has them. They cost; @default true */
  readonly prefixes?: boolean;
}

/** A session of the model on a provider; opened when it is first asked for. @throws {ProviderError} */
export function sessionOf(
  id: string,
  provider: WebProvider,
  { prefixes = true }: SessionChoice = {},
): Promise<InferenceSession> {
  const { model, sessions } = entry(id);
  const key = `${provider} ${prefixes && model.hasPrefixes}`;
  const known = sessions.get(key);
  if (known !== undefined) return known;
  const opening = openSession(prefixes || !isFrozen(model) ? model : withoutPrefixes(id, model), { provider });
  sessions.set(key, opening);
  // A refusal is not remembered: the person may close other pages and try again.
  opening.catch(() => sessions.delete(key));
  return opening;
}

/** Frees a model and its sessions. */
export async function removeModel(id: string): Promise<void> {
  const found = open.get(id);
  open.delete(id);
  await Promise.all(Array.from(found?.sessions.values() ?? [], async (session) => (await session).close()));
}

function entry(id: string): OpenModel {
  const found = open.get(id);
  if (found === undefined) throw new Error(`the worker does not have the model ${JSON.stringify(id)}`);
  return found;
}
