/** `icl serve`: the page in a browser of this machine. */
import { fileURLToPath } from 'node:url';
import { UsageError } from '../models/errors.ts';
import { defineCommand, option } from './command.ts';

/** Beside the compiled commands. */
const pageFolder = fileURLToPath(new URL('../page', import.meta.url));

const largestPort = 65_535;

function parsePort(text: string): number {
  const port = Number(text);
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= largestPort) return port;
  throw new UsageError({
    where: '--port',
    expected: `a whole number, 0 to ${largestPort}`,
    got: JSON.stringify(text),
  });
}

/** Not Vite's 4173: the page's service worker stays with the address, and would answer for other projects' pages. */
const defaultPort = 4257;

export const serve = defineCommand({
  name: 'serve',
  summary: 'show the lab in a browser of this machine',
  description:
    'Serve the lab, a page where frozen models answer prompts in the browser, to this machine alone, with the headers that ' +
    'its threads need. Prints the address; Ctrl-C ends it.',
  arguments: [],
  options: {
    port: option('--port <n>', 'port on 127.0.0.1; 0: any that is free', parsePort, defaultPort),
  },
  examples: ['icl serve', 'icl serve --port 0 --json'],
  async run(_positional, { port, json }, { print, log, signal }) {
    const { startPageServer } = await import('./page-server.ts');
    const server = await startPageServer({ folder: pageFolder, port });
    await print(json ? JSON.stringify({ url: server.url }) : server.url);
    if (!json) log('Ctrl-C ends it.');
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await server.close();
    return 0;
  },
});
