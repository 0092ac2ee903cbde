/**
 * A lock that a shared worker holds while it lives. It ends with the worker, also when the process that both run in
 * crashes, so a tab that waits for it hears of that at once. No port tells of a crash.
 *
 * Browsers give locks to pages of `https:` and `localhost` only. Elsewhere a tab notices by the silence.
 */
const locks = () => globalThis.navigator?.locks;

/** In the worker. @returns {Promise<string | null>} the name of its lock, once it is held */
export function holdLife() {
  const manager = locks();
  if (!manager) return Promise.resolve(null);
  const name = `otter-worker-${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    manager.request(name, () => new Promise(() => resolve(name))).catch(() => resolve(null));
  });
}

/**
 * In a tab.
 *
 * @param {string} name of the worker's lock
 * @param {() => void} gone the worker does not live any more
 * @returns {() => void} stops waiting; a page that waits for a lock has no place in the back/forward cache
 */
export function watchLife(name, gone) {
  const waiting = new AbortController();
  locks()
    ?.request(name, { mode: 'shared', signal: waiting.signal }, () => !waiting.signal.aborted && gone())
    .catch(() => {});
  return () => waiting.abort();
}
