/** The figures' colours as a style sheet, `virtual:theme.css`: light, dark where the reader prefers it or has chosen it. */
import type { Plugin } from 'vite';
import { themeDeclarations } from '../../studies/figures/theme.ts';

const id = 'virtual:theme.css';

export function themePlugin(): Plugin {
  return {
    name: 'icl-theme',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) =>
      source === `\0${id}`
        ? `:root{color-scheme:light;${themeDeclarations('light')}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${themeDeclarations('dark')}}}
@media screen{:root[data-theme=dark]{color-scheme:dark;${themeDeclarations('dark')}}}`
        : undefined,
  };
}
