// The last 200 items in a file of one JSON line each. The file is the only truth: the gateway loads a plugin more than
// once, and a one-shot agent of the command line pushes from a process of its own.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export const KEPT = 200;
/** The file is written anew once it has this many lines. */
const FULL = 2 * KEPT;

export class Store {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
  }

  /** Appends an item; on disk when it returns. */
  push(item) {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    // A line that a crash cut off must not take this one with it.
    const lines = this.#lines();
    const torn = lines.length > 0 && !lines.endsWith('\n');
    write(this.path, 'a', `${torn ? '\n' : ''}${JSON.stringify(item)}\n`);
    if (lines.split('\n').length > FULL) this.#shorten();
  }

  /** The newest items, oldest first. */
  list() {
    return this.#lines().split('\n').flatMap(parsed).slice(-KEPT);
  }

  #shorten() {
    const part = `${this.path}.part`;
    write(part, 'w', this.list().map((item) => `${JSON.stringify(item)}\n`).join(''));
    renameSync(part, this.path);
  }

  #lines() {
    try {
      return readFileSync(this.path, 'utf8');
    } catch (error) {
      if (error.code === 'ENOENT') return '';
      throw error;
    }
  }
}

function write(path, flags, text) {
  const file = openSync(path, flags, 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function parsed(line) {
  try {
    const item = JSON.parse(line);
    return typeof item?.id === 'string' ? [item] : [];
  } catch {
    return [];
  }
}
