/**
 * A stand-in for the WebAssembly core that plays what a test or a preview gives it.
 *
 * @param {{ onPost?: (message: any) => void }} [options]
 */
export function createFakeCore({ onPost } = {}) {
  /** @type {any[]} */
  const posted = [];
  /** @type {any[]} */
  const instances = [];
  /** @type {any[]} */
  let waiting = [];

  class FakeCore {
    /** @param {string} options @param {unknown} socket @param {(panic?: string) => void} notify */
    constructor(options, socket, notify) {
      Object.assign(this, { options: JSON.parse(options), socket, notify, freed: false });
      instances.push(this);
    }
    /** @param {string} text */
    post(text) {
      const message = JSON.parse(text);
      posted.push(message);
      onPost?.(message);
    }
    drain() {
      if (waiting.length === 0) return '';
      const text = JSON.stringify(mergeDrains(waiting));
      waiting = [];
      return text;
    }
    hashes() {
      return '{}';
    }
    free() {
      /** @type {any} */ (this).freed = true;
    }
  }

  return {
    Core: /** @type {import('./boundary.js').CoreConstructor} */ (/** @type {unknown} */ (FakeCore)),
    posted,
    instances,
    /** Changes for the next drain. @param {any} changes */
    push(changes) {
      waiting.push(changes);
      instances.at(-1)?.notify();
    },
    /** The core dies, as after a panic. @param {string} text */
    panic: (text) => instances.at(-1)?.notify(text),
  };
}

/** @param {any[]} drains */
function mergeDrains(drains) {
  /** @type {any} */
  const merged = {};
  for (const drain of drains) {
    for (const [part, value] of Object.entries(drain)) {
      if (part === 'put' || part === 'drop') mergeRows(merged, part, value);
      else if (Array.isArray(value)) merged[part] = [...(merged[part] ?? []), ...value];
      else if (part === 'scopes' || part === 'local') merged[part] = { ...merged[part], ...value };
      else merged[part] = value;
    }
  }
  return merged;
}

/** The later of two changes of one entity counts. @param {any} merged @param {'put' | 'drop'} part @param {any[]} rows */
function mergeRows(merged, part, rows) {
  for (const row of rows) {
    for (const list of ['put', 'drop']) {
      if (merged[list]) merged[list] = merged[list].filter((/** @type {any} */ old) => old[1] !== row[1]);
    }
    merged[part] = [...(merged[part] ?? []), row];
  }
}
