/**
 * The state of the lab, which is what its link says: `#<panel>?<name>=<value>&..`. A choice makes an entry in the browser's
 * history, a drag only replaces the current one. Knows no panel: each declares its fields.
 */
import type { AnyFields, ValuesOf } from './fields.ts';

/** Browsers refuse more than some hundred changes of a link in half a minute. */
const LEAST_INTERVAL = 400;

/** What a panel reads and changes. Fires `change` when its values are others, whoever changed them. */
export class PanelState<Shape extends AnyFields> extends EventTarget {
  readonly #fields: Shape;
  readonly #written: () => void;
  readonly #pushed: () => void;
  readonly #leaving: () => void;
  #values: ValuesOf<Shape>;
  #problems: readonly string[] = [];

  constructor(
    fields: Shape,
    parameters: URLSearchParams,
    on: { written: () => void; pushed: () => void; leaving: () => void },
  ) {
    super();
    this.#fields = fields;
    this.#written = on.written;
    this.#pushed = on.pushed;
    this.#leaving = on.leaving;
    this.#values = this.#read(parameters);
  }

  get values(): ValuesOf<Shape> {
    return this.#values;
  }

  /** What of the link could not be used, in words. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** @param options.isChoice A new entry in the history: the back button undoes it. */
  set(patch: Partial<ValuesOf<Shape>>, { isChoice = false }: { readonly isChoice?: boolean } = {}): void {
    if (isChoice) this.#leaving();
    this.#values = { ...this.#values, ...patch };
    this.#problems = [];
    if (isChoice) this.#pushed();
    else this.#written();
    this.dispatchEvent(new Event('change'));
  }

  /** The values that are not the defaults, as a link has them. */
  format(): URLSearchParams {
    const parameters = new URLSearchParams();
    for (const [key, field] of Object.entries(this.#fields)) {
      const text = field.format(this.#values[key]);
      if (text !== field.format(field.default)) parameters.set(key, text);
    }
    return parameters;
  }

  /** Takes the values of a link. */
  load(parameters: URLSearchParams): void {
    this.#values = this.#read(parameters);
    this.dispatchEvent(new Event('change'));
  }

  #read(parameters: URLSearchParams): ValuesOf<Shape> {
    const problems: string[] = [];
    const known = Object.keys(this.#fields);
    for (const key of parameters.keys()) {
      if (!known.includes(key)) problems.push(`The link names ${JSON.stringify(key)}, which this panel does not have.`);
    }
    const values = Object.entries(this.#fields).map(([key, field]) => {
      const text = parameters.get(key);
      if (text === null) return [key, field.default];
      try {
        return [key, field.parse(text)];
      } catch (error) {
        problems.push(`${key}: ${(error as Error).message} Shown is ${field.format(field.default) || 'the default'}.`);
        return [key, field.default];
      }
    });
    this.#problems = problems;
    return Object.fromEntries(values) as ValuesOf<Shape>;
  }
}

type AnyState = PanelState<AnyFields>;

/** The page's link. Fires `change` when another panel is shown. */
export class Link extends EventTarget {
  readonly #names: readonly string[];
  readonly #states = new Map<string, AnyState>();
  #panel: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #problem: string | undefined;

  /** @param names The panels; the first is shown where the link names none. */
  constructor(names: readonly string[]) {
    super();
    this.#names = names;
    this.#panel = this.#readPanel();
    addEventListener('hashchange', () => this.#follow());
    addEventListener('popstate', () => this.#follow());
    addEventListener('pagehide', () => this.#flush());
  }

  get panel(): string {
    return this.#panel;
  }

  /** Set if the link names a panel that does not exist. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The state of a panel, from the link if it is the panel there. Once per panel. */
  stateOf<const Shape extends AnyFields>(panel: string, fields: Shape): PanelState<Shape> {
    const parameters = panel === this.#panel ? parse(location.hash).parameters : new URLSearchParams();
    const state = new PanelState(fields, parameters, {
      written: () => this.#schedule(panel),
      pushed: () => this.#push(panel),
      // What a drag has changed belongs to the entry that is left.
      leaving: () => this.#flush(),
    });
    this.#states.set(panel, state as unknown as AnyState);
    return state;
  }

  /** Link to a panel as it is, for `href`. */
  hrefOf(panel: string): string {
    const query = this.#states.get(panel)?.format().toString() ?? '';
    return `#${panel}${query === '' ? '' : `?${query}`}`;
  }

  /** The whole link, for sharing. */
  get href(): string {
    return new URL(this.hrefOf(this.#panel), location.href).href;
  }

  #readPanel(): string {
    const { panel } = parse(location.hash);
    this.#problem = undefined;
    if (this.#names.includes(panel)) return panel;
    if (panel !== '') this.#problem = `The link names the panel ${JSON.stringify(panel)}, which does not exist.`;
    return this.#names[0]!;
  }

  /** The link was changed from outside: back, forward, typed. */
  #follow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#panel = this.#readPanel();
    this.#states.get(this.#panel)?.load(parse(location.hash).parameters);
    this.dispatchEvent(new Event('change'));
  }

  #schedule(panel: string): void {
    if (panel !== this.#panel) return;
    this.#timer ??= setTimeout(() => this.#flush(), LEAST_INTERVAL);
  }

  #flush(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    history.replaceState(null, '', this.hrefOf(this.#panel));
  }

  #push(panel: string): void {
    if (panel !== this.#panel) return;
    history.pushState(null, '', this.hrefOf(panel));
  }
}

function parse(hash: string): { panel: string; parameters: URLSearchParams } {
  const [panel = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  return { panel, parameters: new URLSearchParams(query) };
}
