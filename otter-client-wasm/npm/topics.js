/**
 * Listeners by topic, run once per flush however many of their topics changed.
 *
 * A listener may subscribe, unsubscribe, close or throw while others run.
 *
 * @typedef {{ fn: () => void, active: boolean }} Entry
 */
export function createTopics() {
  /** @type {Map<string, Set<Entry>>} */
  const topics = new Map();
  /** @type {Set<string>} */
  let dirty = new Set();

  /** @param {string[]} names @param {() => void} fn @returns {() => void} stops listening */
  function on(names, fn) {
    const entry = { fn, active: true };
    for (const name of names) topics.set(name, (topics.get(name) ?? new Set()).add(entry));
    return () => {
      entry.active = false;
      for (const name of names) {
        const entries = topics.get(name);
        if (entries?.delete(entry) && entries.size === 0) topics.delete(name);
      }
    };
  }

  function emit() {
    const changed = dirty;
    dirty = new Set();
    /** @type {Set<Entry>} */
    const run = new Set();
    for (const topic of changed) topics.get(topic)?.forEach((entry) => run.add(entry));
    for (const entry of run) if (entry.active) attempt(entry.fn);
  }

  /**
   * A store that tells its listeners only when its value is another one.
   *
   * @template T
   * @param {string[]} names topics that may change the value
   * @param {() => T} get
   * @param {() => (() => void) | undefined} [retain] runs when somebody starts to listen, its result when they stop
   */
  function store(names, get, retain) {
    /** @param {() => void} fn */
    const subscribe = (fn) => {
      let last = get();
      const off = on(names, () => {
        const value = get();
        if (Object.is(value, last)) return;
        last = value;
        fn();
      });
      let release = retain?.();
      return () => {
        off();
        release?.();
        release = undefined;
      };
    };
    return { get, subscribe };
  }

  return {
    store,
    emit,
    /** Whether something changed since the listeners ran. */
    isDirty: () => dirty.size > 0,
    /** @param {string} topic */
    mark: (topic) => void dirty.add(topic),
    clear() {
      for (const entries of topics.values()) entries.forEach((entry) => (entry.active = false));
      topics.clear();
    },
  };
}

/** Runs code of others: what it throws is reported like an uncaught error and stops nothing. @param {() => void} fn */
export function attempt(fn) {
  try {
    fn();
  } catch (error) {
    if (globalThis.reportError) globalThis.reportError(error);
    else console.error(error);
  }
}
