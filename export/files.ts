/**
 * Files that are whole or not there: written under a temporary name, flushed, renamed. A kill at any instant leaves the
 * old file or the new one. Errors of the file system become {@link DataError}s that name the path.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DataError } from '../models/errors.ts';

const meanings: Readonly<Record<string, string>> = {
  ENOSPC: 'a full disk',
  EDQUOT: 'an exhausted disk quota',
  EACCES: 'a folder without write permission',
  EPERM: 'a folder without write permission',
  EROFS: 'a read-only file system',
  ENOENT: 'a missing file or folder',
  ENOTDIR: 'a path through something that is not a folder',
  EISDIR: 'a folder',
  EEXIST: 'a file where a folder is needed',
};

/** Turns a file-system error into a {@link DataError} about `path`; anything else is returned as it is. */
export function fileError(path: string, expected: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== 'string') return cause;
  return new DataError({ where: path, expected, got: meanings[code] ?? code, cause });
}

/** Creates a folder and those above it. */
export function ensureFolder(path: string): void {
  try {
    makeFolder(resolve(path));
  } catch (cause) {
    throw fileError(path, 'a folder that can be created', cause);
  }
}

/** Not Node's own `recursive`: it tries for ever where nothing can be created and the system says that a parent is missing, as in /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path && !isFolder(dirname(path))) {
      makeFolder(dirname(path));
      mkdirSync(path);
    } else if (!isFolder(path)) throw error;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Replaces a file as a whole. Readers see the old content or the new one. */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw fileError(path, 'a file that can be written', cause);
  }
}

/** Makes the rename itself durable. Windows cannot open a folder and needs no such step. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
