import { createRoom } from './room.js';
import { VERSION } from './version.js';

const BEAT_MS = 5000;
const SILENT_MS = 30_000;
const WASM_MS = 10_000;

/**
 * @typedef {ReturnType<typeof createRoom>} Room
 *
 * The inside of the worker that tabs share: one room for each hub. The WebAssembly comes from a tab, which knows where
 * its bundler has put it.
 *
 * @param {{
 *   instantiate: (module: WebAssembly.Module) => Promise<import('./boundary.js').CoreConstructor>, WebSocket: () => unknown,
 *   life?: Promise<string | null>,
 * }} of `instantiate` makes an instance of its own for each core, `life` names the lock of the worker
 */
export function createRooms({ instantiate, WebSocket, life }) {
  /** @type {Map<string, Room>} by settings */
  const rooms = new Map();
  /** @type {Promise<WebAssembly.Module> | null} */
  let module = null;
  /** @type {((data: any) => void) | null} takes the answer of the tab that was asked */
  let answer = null;
  /** @type {any} that tab */
  let asked = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let beat;
  let beatAt = 0;

  async function load() {
    module ??= fetchWasm();
    try {
      return await instantiate(await module);
    } catch (error) {
      module = null;
      throw error;
    }
  }

  /** Asks one tab after the other. */
  async function fetchWasm() {
    let reason = 'no tab has the core';
    for (const { tabs } of rooms.values()) {
      for (const tab of tabs) {
        const data = await new Promise((resolve) => {
          const late = setTimeout(resolve, WASM_MS, { noWasm: 'no answer' });
          answer = (data) => (clearTimeout(late), resolve(data));
          asked = tab;
          tab.port.postMessage({ wasm: true });
        });
        if (data.wasm) return WebAssembly.compile(data.wasm);
        reason = data.noWasm;
      }
    }
    throw new Error(reason);
  }

  /** Tabs that died without a word do not answer any more; a frozen one is told when it wakes. */
  function beatAll() {
    const now = Date.now();
    // After a sleep of the machine nobody has been silent: nobody was asked.
    const slept = now - beatAt > 2 * BEAT_MS;
    beatAt = now;
    for (const room of rooms.values()) {
      for (const tab of room.tabs) {
        if (slept) tab.heardAt = now;
        if (now - tab.heardAt > SILENT_MS) leave(room, tab);
        else tab.port.postMessage({ beat: true });
      }
    }
  }

  /** @param {Room} room @param {any} tab */
  function leave(room, tab) {
    room.leave(tab);
    if (tab === asked) answer?.({ noWasm: 'it left' });
    for (const [settings, each] of rooms) if (each === room && room.tabs.size === 0) rooms.delete(settings);
    if (rooms.size > 0) return;
    clearInterval(beat);
    beat = undefined;
  }

  /** @param {any} port a `MessagePort` of a tab */
  function enter(port) {
    /** @type {any} */
    let room;
    /** @type {any} */
    let tab;
    /** @param {any} hello */
    function join(hello) {
      if (hello.version !== VERSION) return port.postMessage({ other: true });
      const { settings } = hello;
      if (!rooms.has(settings)) rooms.set(settings, createRoom(settings, { load, WebSocket }));
      if (!beat) {
        beat = setInterval(beatAll, BEAT_MS);
        beatAt = Date.now();
      }
      room = rooms.get(settings);
      tab = room.join(port, hello);
      life?.then((name) => name && port.postMessage({ life: name }));
    }
    /** @param {any} data */
    function receive(data) {
      if (data.wasm || data.noWasm) return answer?.(data);
      if (data.hello) return join(data.hello);
      if (!room?.tabs.has(tab)) return port.postMessage({ gone: true });
      tab.heardAt = Date.now();
      if (data.message) room.post(tab, data.message, data.self);
      else if (data.taken) room.taken(tab, data.taken);
      else if (data.answer) port.postMessage({ beat: true });
      else if (data.hashes) room.tellHashes(tab);
      else if (data.bye) leave(room, tab);
    }
    port.onmessage = (/** @type {{ data: any }} */ { data }) => receive(data);
  }

  return { enter };
}
