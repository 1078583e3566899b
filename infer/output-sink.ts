/**
 * Where bytes go: a file that appears whole or not at all, a device or pipe, or standard output. Knows nothing of
 * predictions.
 */
import { realpathSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { fileError } from '../export/files.ts';
import { isStandardStream } from './byte-source.ts';

export interface OutputSink {
  /**
   * Writes, and waits until there is room for more.
   * @returns False if nobody reads any longer (`| head`): the rest need not be made.
   * @throws {DataError} naming the path, for a full disk and the like.
   */
  write(bytes: string | Uint8Array): Promise<boolean>;
  /** Makes the file appear under its name. */
  finish(): Promise<void>;
  /** Leaves nothing behind. Never throws. */
  abandon(): Promise<void>;
}

/** Opens a path, or standard output for `-`. @throws {DataError} if it cannot be written. */
export function openSink(path: string, stdout: Writable): Promise<OutputSink> {
  return isStandardStream(path) ? Promise.resolve(streamSink(stdout)) : fileSink(path);
}

const expected = 'a file that can be written';

async function fileSink(path: string): Promise<OutputSink> {
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    // A device or a pipe must be written itself: a rename would put a file in its place.
    if (existing !== undefined && !existing.isFile()) return directSink(path, await open(path, 'w'));
    // Through a symbolic link, so that the link stays.
    const target = existing === undefined ? path : realpathSync(path);
    const temporary = `${target}.${process.pid}.tmp`;
    return atomicSink(path, { target, temporary, handle: await open(temporary, 'w') });
  } catch (cause) {
    throw fileError(path, expected, cause);
  }
}

function directSink(path: string, handle: FileHandle): OutputSink {
  return {
    write: (bytes) => append(path, handle, bytes),
    finish: () => handle.close(),
    abandon: () => handle.close().catch(() => {}),
  };
}

function atomicSink(
  path: string,
  { target, temporary, handle }: { target: string; temporary: string; handle: FileHandle },
): OutputSink {
  return {
    write: (bytes) => append(path, handle, bytes),
    async finish() {
      try {
        await handle.sync();
        await handle.close();
        await rename(temporary, target);
        await syncFolder(dirname(target));
      } catch (cause) {
        throw fileError(path, expected, cause);
      }
    },
    async abandon() {
      await handle.close().catch(() => {});
      await rm(temporary, { force: true }).catch(() => {});
    },
  };
}

async function append(path: string, handle: FileHandle, bytes: string | Uint8Array): Promise<boolean> {
  try {
    await handle.writeFile(bytes); // From where the last one ended, and to the last byte.
    return true;
  } catch (cause) {
    if (isClosedPipe(cause)) return false;
    throw fileError(path, expected, cause);
  }
}

/** Makes the rename durable. Windows cannot open a folder and needs no such step. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const isClosedPipe = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
};

function streamSink(stream: Writable): OutputSink {
  let failure: unknown;
  // Each write reports its own error too; without a listener the process would end with the event.
  const onError = (error: unknown) => {
    failure ??= error;
  };
  stream.on('error', onError);
  const write = (bytes: string | Uint8Array): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const settle = (error: unknown) => {
        if (error === undefined || error === null) resolve(true);
        else if (isClosedPipe(error)) resolve(false);
        else reject(fileError('standard output', 'a stream that can be written', error));
      };
      if (failure !== undefined) settle(failure);
      else stream.write(bytes, settle);
    });
  return {
    write,
    // Not ended: standard output belongs to the process. The listener stays for an error that comes late.
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
}
