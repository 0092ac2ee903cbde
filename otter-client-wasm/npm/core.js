/** @typedef {import('./boundary.js').CoreConstructor} CoreConstructor */

const HIDDEN_NOTIFY_MS = 1000;
const FRAME_TIMEOUT_MS = 250;
const REBOOTS = 3;
const REBOOT_WINDOW_MS = 60_000;

/**
 * Owns one core: loads it, wakes it, drains it once per frame, and replaces it when it dies.
 *
 * @param {{
 *   load: () => CoreConstructor | Promise<CoreConstructor>,
 *   options: () => object,
 *   WebSocket: () => unknown,
 *   replay: () => object[],
 *   apply: (changes: any) => void,
 *   emit: () => void,
 *   deliver: () => void,
 *   fail: (reason: string, retryAt: number | null) => void,
 * }} host `replay` gives the messages that bring a new core to where this client is; `apply` takes one drain, `emit`
 * runs the listeners of what changed, `deliver` the event callbacks
 */
export function createCoreHost(host) {
  /** @type {import('./boundary.js').Core | null} */
  let core = null;
  /** @type {any} */
  let socket = null;
  let generation = 0;
  let running = false;
  let draining = false;
  let loads = 0;
  let lastEmit = 0;
  /** @type {number[]} */
  let crashes = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let bootTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let emitTimer;
  /** @type {(() => void) | null} cancels the scheduled drain */
  let scheduled = null;

  function start() {
    if (running) return;
    running = true;
    listen(true);
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
      core = new Core(settings, trackedSocket(), (panic) => {
        if (mine !== generation) return;
        // A panic is told from inside the dying instance: leave it before replacing it.
        if (panic) queueMicrotask(() => mine === generation && crash(panic));
        else schedule();
      });
    });
    for (const message of [{ t: 'visible', visible: !hidden() }, ...host.replay(), { t: 'start' }]) post(message);
    schedule();
  }

  /** The constructor given to the core, which lets a replaced core's socket be closed. */
  function trackedSocket() {
    const Socket = /** @type {any} */ (host.WebSocket());
    /** @param {string} url @param {string[]} protocols */
    return function tracked(url, protocols) {
      socket = new Socket(url, protocols);
      return socket;
    };
  }

  /** @param {unknown} error */
  function crash(error) {
    console.error('otter: the core crashed and is replaced', error);
    generation += 1;
    core = null;
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

  function schedule() {
    if (scheduled || !running) return;
    const frame = globalThis.requestAnimationFrame;
    if (!frame || hidden()) {
      let live = true;
      scheduled = () => (live = false);
      queueMicrotask(() => live && drain());
      return;
    }
    const id = frame(drain);
    // Frames stop without notice in covered windows and frames that are not drawn.
    const timer = setTimeout(drain, FRAME_TIMEOUT_MS);
    scheduled = () => {
      globalThis.cancelAnimationFrame(id);
      clearTimeout(timer);
    };
  }

  /** Hands over what waits in the core: state first, then listeners. Safe to call from a listener. */
  function drain() {
    if (draining) return schedule();
    scheduled?.();
    scheduled = null;
    const text = guard(() => core?.drain());
    if (!text) return;
    draining = true;
    try {
      host.apply(JSON.parse(text));
      emit();
      host.deliver();
    } finally {
      draining = false;
    }
  }

  /** A hidden page hears of state at most once a second; it sees all of it when it is shown. */
  function emit() {
    clearTimeout(emitTimer);
    const wait = hidden() ? lastEmit + HIDDEN_NOTIFY_MS - Date.now() : 0;
    if (wait > 0) {
      emitTimer = unref(setTimeout(emit, wait));
      return;
    }
    lastEmit = Date.now();
    host.emit();
  }

  function onVisibility() {
    post({ t: 'visible', visible: !hidden() });
    drain();
    emit();
  }
  const onOnline = () => (post({ t: 'online', online: true }), schedule());
  const onOffline = () => (post({ t: 'online', online: false }), schedule());
  /** @param {any} event */
  const onPageShow = (event) => (post({ t: 'pageshow', persisted: Boolean(event.persisted) }), schedule());

  /** @param {boolean} on */
  function listen(on) {
    const verb = on ? 'addEventListener' : 'removeEventListener';
    globalThis.document?.[verb]('visibilitychange', onVisibility);
    if (!globalThis[verb]) return;
    globalThis[verb]('online', onOnline);
    globalThis[verb]('offline', onOffline);
    globalThis[verb]('pageshow', onPageShow);
  }

  function stop() {
    if (running) listen(false);
    running = false;
    post({ t: 'stop' });
    generation += 1;
    scheduled?.();
    scheduled = null;
    clearTimeout(bootTimer);
    clearTimeout(emitTimer);
    closeSocket();
    const old = core;
    core = null;
    try {
      old?.free();
    } catch {
      // Stopped from inside one of its own calls; the garbage collector frees it.
    }
  }

  return {
    start,
    stop,
    post,
    drain,
    schedule,
    hashes: () => (core ? JSON.parse(core.hashes()) : {}),
  };
}

const hidden = () => globalThis.document?.visibilityState === 'hidden';

/** @param {any} timer @returns {ReturnType<typeof setTimeout>} a timer that does not keep Node alive */
export function unref(timer) {
  timer.unref?.();
  return timer;
}
