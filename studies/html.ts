/** HTML as text in which everything is escaped that was not made here. */

/** Text that is HTML already. */
export interface Markup {
  readonly html: string;
}

export type Content = Markup | string | number | null | readonly Content[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character]!);

const isList = (content: Content): content is readonly Content[] => Array.isArray(content);

function toHtml(content: Content): string {
  if (content === null) return '';
  if (isList(content)) return content.map(toHtml).join('');
  return typeof content === 'object' ? content.html : escapeHtml(String(content));
}

/** html`<p>${text}</p>`: the template is trusted, what is put into it is escaped unless it is {@link Markup}. */
export function html(template: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return { html: template.map((piece, i) => (i === 0 ? piece : toHtml(contents[i - 1]!) + piece)).join('') };
}

/** Text that the caller vouches for: a figure drawn here, a style sheet. */
export const trusted = (text: string): Markup => ({ html: text });
