/** @typedef {import('./boundary.js').CoreConstructor} CoreConstructor */

const REBOOTS = 3;
const REBOOT_WINDOW_MS = 60_000;

/**
 * Owns one core: loads it, wakes it, and replaces it when it dies.
 *
 * @param {{
 *   load: () => CoreConstructor | Promise<CoreConstructor>,
 *   options: () => object,
 *   WebSocket: () => unknown,
 *   replay: () => import('./boundary.js').ToCore[],
 *   self: () => unknown,
 *   changed: () => void,
 *   fail: (reason: string, retryAt: number | null) => void,
 * }} host `replay` gives the messages that bring a new core to where this client is, `self` who the last one was told it
 * belongs to; `changed` hears that `take` has something
 */
export function createCore(host) {
  /** @type {import('./boundary.js').Core | null} */
  let core = null;
  /** @type {any} */
  let socket = null;
  let generation = 0;
  let running = false;
  let loads = 0;
  /** @type {number[]} */
  let crashes = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let bootTimer;

  function start() {
    if (running) return;
    running = true;
    boot();
  }

  async function boot() {
    const mine = ++generation;
    /** @type {CoreConstructor} */
    let Core;
    let settings = '';
    try {
      settings = JSON.stringify(host.options());
      Core = await host.load();
    } catch (error) {
      if (mine !== generation) return;
      const delay = Math.min(30_000, 1000 * 2 ** loads++);
      host.fail(`could not load: ${error}`, Date.now() + delay);
      bootTimer = setTimeout(boot, delay);
      return;
    }
    if (mine !== generation) return;
    loads = 0;
    guard(() => {
      core = new Core(settings, trackedSocket(mine), (panic) => {
        if (mine !== generation) return;
        // A panic is told from inside the dying instance: leave it before replacing it.
        if (panic) queueMicrotask(() => mine === generation && crash(panic));
        else host.changed();
      });
    });
    const self = host.self();
    for (const message of [...host.replay(), { t: 'start', ...(self ? { self } : {}) }]) post(message);
    host.changed();
  }

  /** The constructor given to a core, which lets its socket be closed when it is replaced. @param {number} of its generation */
  function trackedSocket(of) {
    const Socket = /** @type {any} */ (host.WebSocket());
    /** @param {string} url @param {string[]} protocols */
    return function tracked(url, protocols) {
      if (of !== generation) throw new Error('this core was replaced');
      socket = new Socket(url, protocols);
      return socket;
    };
  }

  /** @param {unknown} error */
  function crash(error) {
    console.error('otter: the core crashed and is replaced', error);
    generation += 1;
    release();
    closeSocket();
    if (!running) return;
    crashes = [...crashes.filter((at) => at > Date.now() - REBOOT_WINDOW_MS), Date.now()];
    const final = crashes.length > REBOOTS;
    host.fail('crashed', final ? null : Date.now());
    if (!final) bootTimer = setTimeout(boot, 0);
  }

  function closeSocket() {
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    socket.close();
    socket = null;
  }

  /** @template T @param {() => T} entry @returns {T | undefined} */
  function guard(entry) {
    try {
      return entry();
    } catch (error) {
      crash(error);
      return undefined;
    }
  }

  /** @param {object} message */
  function post(message) {
    if (core) guard(() => core?.post(JSON.stringify(message)));
  }

  function stop() {
    running = false;
    post({ t: 'stop' });
    generation += 1;
    clearTimeout(bootTimer);
    closeSocket();
    release();
  }

  /** Ends the timers of the core and frees it. */
  function release() {
    const old = core;
    core = null;
    try {
      old?.free();
    } catch {
      // It died, or is stopped from inside one of its own calls; its memory goes with the last reference to it.
    }
  }

  return {
    start,
    stop,
    post,
    /** What changed since the last call. @returns {any[]} `Drain`s */
    take() {
      const text = guard(() => core?.drain());
      return text ? [JSON.parse(text)] : [];
    },
    hashes: async () => (core ? JSON.parse(core.hashes()) : {}),
  };
}
