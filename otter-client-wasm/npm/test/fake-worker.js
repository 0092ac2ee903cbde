import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { createClientWith } from '../client.js';
import instantiate from '../dist/otter.js';
import { holdLife } from '../life.js';
import { createRooms } from '../rooms.js';
import { createFakeHub } from './fake-hub.js';

before(() => (globalThis.SharedWorker = class {}));
after(() => delete globalThis.SharedWorker);

export const wait = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(check, what) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await check()) return;
    await wait(10);
  }
  assert.fail(`never: ${what}`);
}

/** A worker with real ports, the real core unless another is made, and what a tab needs to find it. */
export function createWorker(make = instantiate) {
  const hub = createFakeHub();
  const worker = { hub, starts: 0, fetches: 0, silent: 0, ports: [] };
  let rooms = null;
  worker.die = () => {
    for (const port of worker.ports.splice(0)) {
      // The core of a worker dies with it.
      port.onmessage({ data: { bye: true } });
      port.close();
    }
    rooms = null;
  };
  worker.crash = () => (rooms = null);
  worker.started = () => worker.starting.splice(0).forEach((port) => rooms.enter(port));
  worker.of = {
    open() {
      if (worker.broken) throw new Error('refused');
      if (!rooms) {
        worker.starts += 1;
        rooms = createRooms({ instantiate: make, WebSocket: () => hub.WebSocket, life: holdLife() });
      }
      const { port1, port2 } = new MessageChannel();
      worker.ports.push(port2);
      if (worker.starting) worker.starting.push(port2);
      else if (worker.silent > 0) worker.silent -= 1;
      else rooms.enter(port2);
      return { port: port1, onerror: null };
    },
    async bytes() {
      worker.fetches += 1;
      const file = await readFile(new URL('../dist/otter_bg.wasm', import.meta.url));
      return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
    },
  };
  return worker;
}

export function tab(t, worker, options = {}) {
  const load = options.load ?? (() => Promise.reject(new Error('this tab has no core')));
  const client = createClientWith(load, { url: 'http://hub.test/ws', freeze: true, ...options }, worker.of);
  t.after(client.close);
  return client;
}
