/** Light or dark: as the reader's system has it, until they choose here. The choice is kept on this machine only. */
import { html, type TemplateResult } from 'lit';

const key = 'icl-theme';
const root = document.documentElement;

type Theme = 'light' | 'dark';

/** Storage may be forbidden; the page works without. */
function stored(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

const current = (): Theme => {
  const chosen = root.dataset['theme'];
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
};

const remembered = stored();
if (remembered === 'light' || remembered === 'dark') root.dataset['theme'] = remembered;

export function themeButton(onChange: () => void): TemplateResult {
  const other: Theme = current() === 'dark' ? 'light' : 'dark';
  const choose = () => {
    root.dataset['theme'] = other;
    try {
      localStorage.setItem(key, other);
    } catch {
      // Not kept, then.
    }
    onChange();
  };
  return html`<button type="button" class="quiet" @click=${choose}>${other === 'dark' ? 'Dark' : 'Light'}</button>`;
}
