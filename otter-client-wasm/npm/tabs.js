import { createOwnHost } from './host.js';
import { watchLife } from './life.js';
import { isHidden, listenToPage } from './page.js';
import { unref } from './timer.js';
import { VERSION } from './version.js';

const REJOIN_MS = 2000;
const JOINS = 5;
/** So many workers may die within a minute. */
const DEATHS = 3;
const MINUTE_MS = 60_000;
const ANSWER_MS = 3000;
const WATCH_MS = 3000;
/** The worker says something every 5 s. */
const SILENT_MS = 12_000;

/**
 * A core in a worker that all tabs share. Where there is none, or when it does not come up, this tab has a core of its
 * own. A worker that stopped answering is replaced.
 *
 * @param {import('./host.js').HostOptions & { open: () => SharedWorker, bytes: () => Promise<ArrayBuffer> }} options
 * `open` starts or finds the worker, `bytes` gives the WebAssembly for it
 * @returns {import('./host.js').Host}
 */
export function createSharedHost(options) {
  /** @type {MessagePort | null} */
  let port = null;
  /** @type {import('./host.js').Host | null} takes over when sharing does not work */
  let own = null;
  /** @type {(() => void) | null} */
  let endPage = null;
  /** @type {(() => void) | null} */
  let endLife = null;
  let generation = 0;
  let joined = false;
  let checking = false;
  let heardAt = 0;
  let tries = 0;
  /** @type {number[]} when workers died */
  let deaths = [];
  /** @type {any[]} */
  let waiting = [];
  let taken = 0;
  /** @type {((value: any) => void)[]} */
  let asked = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let deadline;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let watch;

  function start() {
    if (endPage) return;
    endPage = listenToPage(onPage, { hide: leave, resume: check });
    watch = unref(setInterval(() => !isHidden() && doubt(), WATCH_MS));
    begin();
  }

  function begin() {
    tries = 0;
    join();
  }

  function join() {
    const mine = ++generation;
    joined = false;
    waiting = [];
    clearTimeout(deadline);
    try {
      const settings = JSON.stringify(options.options());
      const worker = options.open();
      worker.onerror = () => mine === generation && !joined && useOwn();
      port = worker.port;
      port.addEventListener('close', () => mine === generation && restart());
      port.onmessage = ({ data }) => mine === generation && receive(data);
      port.postMessage({ hello: { version: VERSION, settings, visible: !isHidden(), messages: options.replay(), self: options.self() } });
    } catch {
      return useOwn();
    }
    deadline = setTimeout(joinAgain, REJOIN_MS);
  }

  /** The browser may have found a worker that is just ending. It will find the next one. */
  function joinAgain() {
    tries += 1;
    if (tries === JOINS) return useOwn();
    disconnect();
    join();
  }

  function useOwn() {
    disconnect();
    endPage?.();
    clearInterval(watch);
    own = createOwnHost(options);
    own.start();
  }

  /** Tells the worker that this tab is gone, which it cannot see, and forgets it. */
  function disconnect() {
    generation += 1;
    checking = false;
    clearTimeout(deadline);
    endLife?.();
    endLife = null;
    port?.postMessage({ bye: true });
    port?.close();
    port = null;
    asked.splice(0).forEach((answer) => answer({}));
  }

  /** The page goes away or into the back/forward cache. */
  function leave() {
    if (!own) disconnect();
  }

  /** @param {any} data */
  function receive(data) {
    heardAt = Date.now();
    if (checking) clearTimeout(deadline);
    checking = false;
    if (data.joined) {
      joined = true;
      clearTimeout(deadline);
    }
    if (data.other) useOwn();
    else if (data.gone) restart();
    else if (data.again) options.replay().filter(({ t }) => t === 'command').forEach((message) => post(message));
    else if (data.wasm) give();
    else if (data.life) endLife ??= watchLife(data.life, restart);
    else if (data.beat) port?.postMessage({ beat: true });
    else if (data.fail) options.fail(.../** @type {[string, number | null]} */ (data.fail));
    else if (data.hashes) asked.splice(0).forEach((answer) => answer(data.hashes));
    else if (data.changes) {
      taken = data.n;
      waiting.push(data.changes);
      options.changed();
    }
  }

  async function give() {
    const to = port;
    try {
      const bytes = await options.bytes();
      to?.postMessage({ wasm: bytes }, [bytes]);
    } catch (error) {
      to?.postMessage({ noWasm: String(error) });
    }
  }

  function doubt() {
    if (Date.now() - heardAt > SILENT_MS) check();
  }

  /** Whether the worker still answers. */
  function check() {
    if (!joined || checking || own || !port) return;
    checking = true;
    port.postMessage({ beat: true, answer: true });
    deadline = unref(setTimeout(restart, ANSWER_MS));
  }

  /** A new worker, or the same one again: both start from what this tab says. Where workers keep dying, none. */
  function restart() {
    disconnect();
    const now = Date.now();
    options.fail('restarting', now);
    deaths = [...deaths.filter((at) => now - at < MINUTE_MS), now];
    if (deaths.length > DEATHS) useOwn();
    else begin();
  }

  /** @param {import('./boundary.js').ToCore} message */
  function onPage(message) {
    if (own) return;
    if (message.t === 'pageshow') {
      if (message.persisted && !port) begin();
      return;
    }
    post(message);
    if (message.t !== 'visible') return;
    if (message.visible) check();
    options.shown();
  }

  /** @param {import('./boundary.js').ToCore} message */
  function post(message) {
    if (own) return own.post(message);
    port?.postMessage({ message, self: options.self() });
    // What a person asks for must not go to a worker that is gone.
    if (message.t === 'command' || message.t === 'retry') check();
  }

  /** @returns {any[]} */
  function take() {
    if (own) return own.take();
    const changes = waiting;
    waiting = [];
    if (changes.length > 0) port?.postMessage({ taken });
    return changes;
  }

  return {
    start,
    post,
    take,
    stop() {
      own?.stop();
      clearInterval(watch);
      endPage?.();
      disconnect();
    },
    hashes() {
      if (own) return own.hashes();
      if (!port) return Promise.resolve({});
      port.postMessage({ hashes: true });
      return new Promise((resolve) => asked.push(resolve));
    },
  };
}
