/** The page's server: what it sends and to whom, what it refuses, and how the command begins and ends. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PageServer, startPageServer } from '../../cli/page-server.ts';
import { compressFolder } from '../../web/build/precompress.ts';

const scratch = mkdtempSync(join(tmpdir(), 'icl-serve-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const html = '<!doctype html><title>page</title>';
const script = 'export const zeros = [0];\n'.repeat(200);

/** A folder like the built page's, and a file beside it that is nobody's business. */
function writePage(folder: string): string {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'index.html': html,
    'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'manifest.webmanifest': '{}',
    'assets/index-abc123.js': script,
    'assets/style-abc123.css': 'body{}',
    'assets/runtime-abc123.wasm': new Uint8Array(5000),
    'assets/model-abc123.onnx': new Uint8Array(5000),
    'assets/data-abc123.json': '{}',
    '../secret.txt': 'secret',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** One request as it is written: `fetch` would tidy the path and the Host header. */
function ask(url: string, path: string, { method = 'GET', headers = {} as Record<string, string> } = {}) {
  const { hostname, port } = new URL(url);
  const lines = { Host: `${hostname}:${port}`, Connection: 'close', ...headers };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise<Answer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () =>
      socket.write(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n`),
    );
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const [status, ...fields] = all.subarray(0, end).toString().split('\r\n');
      const pairs = fields.map((field) => [field.split(': ')[0]!.toLowerCase(), field.slice(field.indexOf(': ') + 2)]);
      resolve({
        status: Number(status!.split(' ')[1]),
        headers: Object.fromEntries(pairs),
        body: all.subarray(end + 4),
      });
    });
  });
}

describe('the server', () => {
  const folder = join(scratch, 'site', 'page');
  let server: PageServer;
  beforeAll(async () => {
    writePage(folder);
    await compressFolder(folder);
    server = await startPageServer({ folder, port: 0 });
  });
  afterAll(() => server?.close());

  test('sends the page with its policy, alone with its memory', async () => {
    const { status, headers, body } = await ask(server.url, '/');
    expect(status).toBe(200);
    expect(body.toString()).toBe(html);
    expect(headers).toMatchObject({
      'content-type': 'text/html;charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';");
  });

  test.each([
    ['/favicon.svg', 'image/svg+xml', false],
    ['/manifest.webmanifest', 'application/manifest+json', false],
    ['/assets/index-abc123.js', 'text/javascript', true],
    ['/assets/style-abc123.css', 'text/css', true],
    ['/assets/runtime-abc123.wasm', 'application/wasm', true],
    ['/assets/model-abc123.onnx', 'application/octet-stream', true],
    ['/assets/data-abc123.json', 'application/json', true],
  ])('%s is %s', async (path, type, isHashed) => {
    const { status, headers } = await ask(server.url, path);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(type);
    expect(headers['cache-control']).toBe(isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
  });

  test.each([
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip, deflate', 'gzip', gunzipSync],
  ] as const)('to a browser that takes %s it sends %s', async (accepted, encoding, decode) => {
    for (const [path, type] of [
      ['/assets/index-abc123.js', 'text/javascript'],
      ['/assets/model-abc123.onnx', 'application/octet-stream'],
    ] as const) {
      const { headers, body } = await ask(server.url, path, { headers: { 'Accept-Encoding': accepted } });
      expect(headers).toMatchObject({ 'content-encoding': encoding, 'content-type': type, vary: 'Accept-Encoding' });
      expect(body.length).toBe(Number(headers['content-length']));
      expect(decode(body).equals(readFileSync(join(folder, path)))).toBe(true);
    }
  });

  test('what is not smaller when compressed has no neighbour', async () => {
    const { headers } = await ask(server.url, '/favicon.svg', { headers: { 'Accept-Encoding': 'br' } });
    expect(headers['content-encoding']).toBeUndefined();
  });

  test('a browser that has the file already is told so', async () => {
    const first = await ask(server.url, '/assets/index-abc123.js');
    const headers = { 'If-None-Match': first.headers['etag']! };
    const again = await ask(server.url, '/assets/index-abc123.js', { headers });
    expect({ status: again.status, length: again.body.length }).toEqual({ status: 304, length: 0 });
  });

  test('HEAD sends the headers alone', async () => {
    const { status, headers, body } = await ask(server.url, '/assets/index-abc123.js', { method: 'HEAD' });
    expect({ status, length: headers['content-length'] }).toEqual({ status: 200, length: String(script.length) });
    expect(body.length).toBe(0);
  });

  test('a part of a file is answered with all of it', async () => {
    const { status, body } = await ask(server.url, '/assets/index-abc123.js', { headers: { Range: 'bytes=-5' } });
    expect({ status, length: body.length }).toEqual({ status: 200, length: script.length });
  });

  test.each([
    '/nowhere',
    '/assets/',
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/%2e%2e/%2e%2e/secret.txt',
    '/..\\secret.txt',
    '/index.html%00',
    '/%',
  ])('%s is not there', async (path) => {
    const { status, headers, body } = await ask(server.url, path);
    expect(status).toBe(404);
    expect(body.toString()).toContain('There is no such file in the page.');
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused', async (method) => {
    const { status, headers } = await ask(server.url, '/', { method, headers: { 'Content-Length': '0' } });
    expect({ status, allow: headers['allow'] }).toEqual({ status: 405, allow: 'GET, HEAD' });
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])('answers to %s', async (name) => {
    const { port } = new URL(server.url);
    expect((await ask(server.url, '/', { headers: { Host: `${name}:${port}` } })).status).toBe(200);
  });

  test('answers to no other name, and on no other port', async () => {
    const { port } = new URL(server.url);
    const strangers = [
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      'localhost',
      'localhost:1',
      `0.0.0.0:${port}`,
    ];
    for (const Host of strangers) {
      const { status, body } = await ask(server.url, '/', { headers: { Host } });
      expect(status, Host).toBe(403);
      expect(body.toString(), Host).not.toContain('doctype');
    }
  });

  test('a page that is built again meanwhile is served as it now is', async () => {
    writeFileSync(join(folder, 'assets/index-def456.js'), 'new');
    rmSync(join(folder, 'assets/data-abc123.json'));
    expect((await ask(server.url, '/assets/index-def456.js')).body.toString()).toBe('new');
    expect((await ask(server.url, '/assets/data-abc123.json')).status).toBe(404);
  });

  test('a port that is taken is an error that says so', async () => {
    const port = Number(new URL(server.url).port);
    await expect(startPageServer({ folder, port })).rejects.toThrow(
      `--port: expected a port that is free here, got ${port}, which another program uses. Choose another; 0 takes any that is free.`,
    );
  });
});

describe('icl serve', () => {
  /** The compiled program elsewhere, with a page of its own or none. */
  function install(name: string, hasPage: boolean): string {
    const root = join(scratch, name);
    const dist = fileURLToPath(new URL('../../dist', import.meta.url));
    const left = new Set(['page', 'bench', 'scripts']);
    cpSync(dist, join(root, 'dist'), {
      recursive: true,
      filter: (path) => !left.has(relative(dist, path)) && !/\.(map|d\.ts)$/.test(path),
    });
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(root, 'node_modules'));
    if (hasPage) writePage(join(root, 'dist/page'));
    return join(root, 'dist/cli/main.js');
  }

  function start(main: string, ...args: string[]) {
    const child = spawn(process.execPath, [main, 'serve', ...args]);
    let [stdout, stderr] = ['', ''];
    const firstLine = new Promise<string>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        stdout += chunk;
        if (stdout.includes('\n')) resolve(stdout);
      });
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
    return { child, firstLine: Promise.race([firstLine, ended.then(({ stderr }) => stderr)]), ended };
  }

  test('prints its address, serves until Ctrl-C, and ends well', async () => {
    const { child, firstLine, ended } = start(install('built', true), '--port', '0', '--json');
    const line = await firstLine;
    const { url } = JSON.parse(line) as { url: string };
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const response = await fetch(url); // Its connection stays open, which must not keep the server alive.
    expect(await response.text()).toBe(html);
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 0, stdout: line, stderr: '' });
  });

  test('without a built page it says how to build it', async () => {
    const { code, stdout, stderr } = await start(install('unbuilt', false), '--port', '0').ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: the page: expected it in .*page, got nothing\. Build it: npm run build:web\.\n$/);
  });
});
