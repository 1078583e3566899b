/** Which models can answer a model's prompts: those of the same kind and size. Knows laws, not files. */
import type { TaskSpec } from '../../../../models/tasks/index.ts';
import type { Lab } from '../../app/lab.ts';
import type { LibraryModel } from '../../app/library.ts';
import { builtInRecipes } from './command.ts';

/** What makes prompts of one model answerable by another. */
const kindOf = (task: TaskSpec): string =>
  task.name === 'gaussian-mixture'
    ? `${task.name} of ${task.classes} classes in ${task.dimension} dimensions`
    : `${task.name} in ${task.dimension} dimensions`;

export class Rivals extends EventTarget {
  readonly #kinds = new Map<string, string>();

  /** Asks a worker for the laws: built-in models are not fetched for it. */
  async learn(lab: Lab): Promise<void> {
    const laws = await lab.foreground.call('lawsOf', builtInRecipes);
    for (const { id, task } of laws) this.#kinds.set(id, kindOf(task));
    this.dispatchEvent(new Event('change'));
    await this.learnOwn(lab);
  }

  /** Those that came since. A file that is no model says so where it is chosen. */
  async learnOwn(lab: Lab): Promise<void> {
    for (const { id, origin } of lab.library.models) {
      if (origin === 'built-in' || this.#kinds.has(id)) continue;
      const { metadata } = await lab.library.describe(lab.foreground, id);
      this.#kinds.set(id, kindOf(metadata.task));
      this.dispatchEvent(new Event('change'));
    }
  }

  of(id: string, models: readonly LibraryModel[]): readonly LibraryModel[] {
    const kind = this.#kinds.get(id);
    return models.filter((each) => each.id !== id && kind !== undefined && this.#kinds.get(each.id) === kind);
  }

  hintFor(id: string): string {
    const kind = this.#kinds.get(id);
    return kind === undefined
      ? 'Both answer the same prompts.'
      : `Both answer the same prompts, so only models of ${kind.replaceAll('-', ' ')} can be chosen.`;
  }
}
