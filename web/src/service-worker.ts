/**
 * Keeps the page for visits without a network: a script of its own, which the browser runs beside the page. What it keeps is
 * decided by the build (`build/service-worker.ts`), which fills in the lists. Imports nothing.
 *
 * A version is fetched whole or not at all. It is used from the next visit on, when no page of the one before it is open; the
 * first one at once. Responses are kept with their headers, so a page from here is as isolated as from its host.
 */

/** What the build knows. Names are relative to this script. */
interface Release {
  /** A hash of all names and of what is in those files whose name has none. */
  readonly version: string;
  /** Files that carry a hash of their content in their name: they never change. */
  readonly hashed: readonly string[];
  /** Files that may change under their name; the page itself is one. */
  readonly named: readonly string[];
  /** Kept too, but only once somebody has fetched them: what WebGPU needs. */
  readonly onDemand: readonly string[];
}

declare const __RELEASE__: Release;

/** What this file uses of a service worker; the page's own types do not have it. */
interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(name: 'install' | 'activate', listener: (event: Waiting) => void): void;
  addEventListener(name: 'fetch', listener: (event: Fetching) => void): void;
}

const scope = globalThis as unknown as Scope;
const release = __RELEASE__;

/** Other pages of the same origin may have caches too, other copies of this page among them: the scope tells them apart. */
const family = `icl-lab ${scope.registration.scope} `;
const cacheName = family + release.version;
const page = 'index.html';

const addressOf = (name: string) => new URL(name, scope.registration.scope).href;
const known = new Set([...release.hashed, ...release.named, ...release.onDemand].map(addressOf));
/** A file is the same whatever its request says it accepts. */
const anyVariant = { ignoreVary: true };

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const { origin, pathname } = new URL(request.url);
  const address = origin + pathname;
  // The folder means the page in it.
  const wanted = address === scope.registration.scope ? addressOf(page) : address;
  if (known.has(wanted)) event.respondWith(answer(request, wanted));
});

/** One file after the other: the page that is open goes first. */
async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  try {
    // What the last version had, or the browser still has from this very visit, is not fetched again.
    for (const name of release.hashed) await keep(cache, addressOf(name), 'force-cache', true);
    for (const name of release.named) await keep(cache, addressOf(name), 'no-cache', false);
    for (const name of release.onDemand) {
      const before = await caches.match(addressOf(name), anyVariant);
      if (before !== undefined) await cache.put(addressOf(name), before);
    }
  } catch (error) {
    await caches.delete(cacheName);
    throw error;
  }
}

async function keep(cache: Cache, address: string, mode: RequestCache, mayBeOld: boolean): Promise<void> {
  const before = mayBeOld ? await caches.match(address, anyVariant) : undefined;
  const response = before ?? (await fetch(address, { cache: mode }));
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  await cache.put(address, response);
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(family) && name !== cacheName).map((name) => caches.delete(name)),
  );
  await scope.clients.claim();
}

async function answer(request: Request, address: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(address, anyVariant);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.status === 200) await cache.put(address, response.clone());
  return response;
}
