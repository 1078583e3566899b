/**
 * A server of the built page for this machine alone: it listens on 127.0.0.1, answers to no other name, and sends the headers
 * that the page's threads and its policy need. Knows nothing of the command line.
 */
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sirv from 'sirv';
import { DataError, UsageError } from '../models/errors.ts';
import { contentSecurityPolicy, isolationHeaders } from '../web/content-security-policy.ts';

/** Other machines cannot reach it. */
const address = '127.0.0.1';

/** What a browser may call this machine. Any other name is a site that has its own name point here: DNS rebinding. */
const ownNames: readonly string[] = ['localhost', address, '[::1]'];

const headers: Readonly<Record<string, string>> = {
  ...isolationHeaders,
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
};

/** Their names are hashes of what is in them. */
const hashedFiles = '/assets/';

export interface PageServer {
  /** Ends in `/`. */
  readonly url: string;
  /** Ends open connections too. */
  close(): Promise<void>;
}

export interface PageServerOptions {
  /** Of the built page. */
  readonly folder: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * Serves the page until it is closed.
 * @throws {DataError} if the folder has no page. @throws {UsageError} if the port is taken or not allowed.
 */
export async function startPageServer({ folder, port }: PageServerOptions): Promise<PageServer> {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new DataError({
      where: 'the page',
      expected: `it in ${folder}`,
      got: 'nothing',
      remedy: 'Build it: npm run build:web.',
    });
  }
  // Looked up anew on each request: the page may be built again while it is served.
  const files = sirv(folder, {
    ...{ dev: true, etag: true, brotli: true, gzip: true },
    setHeaders(response, pathname) {
      const isHashed = pathname.startsWith(hashedFiles);
      response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      if (pathname.endsWith('.onnx')) response.setHeader('Content-Type', 'application/octet-stream');
    },
  });
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const refusal = refusalOf(request, portOf(server));
    if (refusal !== null) return refuse(response, refusal);
    delete request.headers.range; // Whole files only, which a server may always send.
    files(request, response, () => refuse(response, { status: 404, reason: 'There is no such file in the page.' }));
  });
  await listen(server, port);
  return {
    url: `http://${address}:${portOf(server)}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusalOf({ headers: { host }, method = '' }: IncomingMessage, port: number): Refusal | null {
  if (!ownNames.some((name) => host === `${name}:${port}` || (port === 80 && host === name))) {
    return { status: 403, reason: `Only ${ownNames.map((name) => `${name}:${port}`).join(', ')} are served here.` };
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, reason: 'Files can be read, nothing else.', headers: { Allow: 'GET, HEAD' } };
  }
  return null;
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  response.writeHead(refusal.status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    ...refusal.headers,
  });
  response.end(`${refusal.reason}\n`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const got = code === 'EADDRINUSE' ? `${port}, which another program uses` : `${port}: ${message}`;
      const remedy = 'Choose another; 0 takes any that is free.';
      reject(new UsageError({ where: '--port', expected: 'a port that is free here', got, remedy }));
    });
    server.listen(port, address, () => resolve());
  });
}
