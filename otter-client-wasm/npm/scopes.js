import { unref } from './timer.js';

const LINGER_MS = 30_000;
/** A connection has room for 100 scopes: somebody who walks through everything must not use it up. */
const LINGERING = 32;
const KEPT = 16;

/**
 * Follows a scope while somebody uses it and 30 s longer; the last 16 released ones keep their state, so that coming
 * back to them resumes.
 *
 * @param {(message: import('./boundary.js').ToCore) => void} post
 * @param {(scope: string) => void} end hears that a scope is not followed any more
 * @param {(scope: string) => void} forget drops the state of a scope
 */
export function createScopes(post, end, forget) {
  /** @type {Map<string, { users: number, timer?: ReturnType<typeof setTimeout> }>} followed ones */
  const followed = new Map();
  /** @type {Set<string>} followed ones that nobody uses any more, oldest first */
  const lingering = new Set();
  /** @type {Set<string>} released ones, oldest first */
  const kept = new Set();

  /** @param {string} scope @returns {() => void} gives it back, once */
  function retain(scope) {
    const entry = followed.get(scope) ?? follow(scope);
    clearTimeout(entry.timer);
    lingering.delete(scope);
    entry.users += 1;
    let mine = true;
    return () => {
      if (!mine) return;
      mine = false;
      entry.users -= 1;
      if (entry.users === 0) linger(scope, entry);
    };
  }

  /** @param {string} scope @param {{ timer?: ReturnType<typeof setTimeout> }} entry */
  function linger(scope, entry) {
    entry.timer = unref(setTimeout(() => release(scope), LINGER_MS));
    lingering.add(scope);
    const [oldest] = lingering;
    if (lingering.size > LINGERING) release(oldest);
  }

  /** @param {string} scope */
  function follow(scope) {
    /** @type {{ users: number, timer?: ReturnType<typeof setTimeout> }} */
    const entry = { users: 0 };
    kept.delete(scope);
    followed.set(scope, entry);
    post({ t: 'subscribe', scope });
    return entry;
  }

  /** @param {string} scope */
  function release(scope) {
    clearTimeout(followed.get(scope)?.timer);
    lingering.delete(scope);
    followed.delete(scope);
    kept.add(scope);
    post({ t: 'unsubscribe', scope });
    end(scope);
    if (kept.size <= KEPT) return;
    const [oldest] = kept;
    kept.delete(oldest);
    post({ t: 'forget', scope: oldest });
    forget(oldest);
  }

  return {
    retain,
    /** @returns {import('./boundary.js').ToCore[]} what a new core has to be told */
    replay: () => [...followed.keys()].map((scope) => ({ t: 'subscribe', scope })),
    stop: () => followed.forEach(({ timer }) => clearTimeout(timer)),
  };
}
