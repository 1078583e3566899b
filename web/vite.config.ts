/** How the page is built: a static folder that any host can serve, also under a sub-path. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { precompressPlugin } from './build/precompress.ts';
import { serviceWorkerPlugin } from './build/service-worker.ts';
import { storedFigurePlugin } from './build/stored-figure.ts';
import { themePlugin } from './build/theme-plugin.ts';
import { contentSecurityPolicy, isolationHeaders } from './content-security-policy.ts';

/** The policy stands in the page itself, for hosts that send no headers. Not in development: Vite injects scripts then. */
const policyPlugin = (): Plugin => ({
  name: 'icl-content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
      injectTo: 'head-prepend',
    },
  ],
});

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [themePlugin(), storedFigurePlugin(), policyPlugin(), serviceWorkerPlugin(), precompressPlugin()],
  worker: { format: 'es' },
  build: {
    outDir: fileURLToPath(new URL('../dist/page', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { headers: isolationHeaders },
  preview: { headers: isolationHeaders },
});
