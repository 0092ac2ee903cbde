// The last 200 items in a file of one JSON line each. The file is the only truth: the gateway loads a plugin more than
// once, and a one-shot agent of the command line pushes from a process of its own. Every process appends; only the
// gateway shortens.

import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, readSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export const KEPT = 200;
/** The file is written anew once it has more lines than this. */
export const FULL = 2 * KEPT;

export class Store {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
  }

  /** Appends an item; on disk, in the file that everybody reads, when it returns. */
  push(item) {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    // A file that was replaced meanwhile may have been copied before this line was in it.
    while (!append(this.path, `${JSON.stringify(item)}\n`));
  }

  /** The newest items, oldest first, each once. */
  list() {
    return newest(read(this.path));
  }

  /** Writes the newest items to a file of their own when there are too many. For one process only. */
  shorten() {
    if (lines(read(this.path)) <= FULL) return;
    const old = openSync(this.path, 'r');
    try {
      const found = readFrom(old, 0);
      // A line that another process is writing at this moment comes with what is late.
      const text = found.subarray(0, found.lastIndexOf(NEWLINE) + 1);
      const part = `${this.path}.part`;
      write(part, newest(text).map((item) => `${JSON.stringify(item)}\n`).join(''));
      renameSync(part, this.path);
      // What others appended since the file was read is still in the old one; later they notice that it was replaced.
      const late = readFrom(old, text.length);
      if (late.length > 0) append(this.path, late);
    } finally {
      closeSync(old);
    }
  }
}

/** Appends lines; false when the file is not the one of this name any more. */
function append(path, text) {
  const file = openSync(path, 'a+', 0o600);
  try {
    // A line that a crash cut off must not take this one with it.
    writeSync(file, Buffer.concat([Buffer.from(isTorn(file) ? '\n' : ''), Buffer.from(text)]));
    fsyncSync(file);
    return fstatSync(file).ino === statSync(path).ino;
  } finally {
    closeSync(file);
  }
}

function isTorn(file) {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
}

function write(path, text) {
  const file = openSync(path, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function read(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function readFrom(file, start) {
  const rest = Buffer.alloc(Math.max(fstatSync(file).size - start, 0));
  return rest.subarray(0, readSync(file, rest, 0, rest.length, start));
}

function newest(text) {
  const items = text.toString('utf8').split('\n').flatMap(parsed);
  return [...new Map(items.map((item) => [item.id, item])).values()].slice(-KEPT);
}

function lines(text) {
  return text.reduce((count, byte) => count + (byte === NEWLINE ? 1 : 0), 0);
}

const NEWLINE = 10;

function parsed(line) {
  try {
    const item = JSON.parse(line);
    return typeof item?.id === 'string' ? [item] : [];
  } catch {
    return [];
  }
}
