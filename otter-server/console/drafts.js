const DRAFTS = 'otter.drafts';
const KEPT = 100;

/** @typedef {Record<string, { text: string, at: number }>} Drafts by conversation */

/** @type {Drafts | null} what is stored, until another tab writes */
let known = null;
addEventListener('storage', () => (known = null));

/** @returns {Drafts} */
function read() {
  try {
    return (known ??= JSON.parse(localStorage.getItem(DRAFTS) ?? '{}'));
  } catch {
    return (known = {});
  }
}

/** The newest entries, as many as are kept. @param {Drafts} value */
function write(value) {
  known = Object.fromEntries(Object.entries(value).sort(([, a], [, b]) => b.at - a.at).slice(0, KEPT));
  try {
    localStorage.setItem(DRAFTS, JSON.stringify(known));
  } catch {
    // Full or forbidden: the text is still in the composer.
  }
}

/** What was typed and not sent, per conversation, over reloads and restarts of the browser. */
export const drafts = {
  /** @param {string} id @returns {string} */
  get: (id) => read()[id]?.text ?? '',
  /** @param {string} id @param {string} text */
  set(id, text) {
    const all = { ...read() };
    if (text) all[id] = { text, at: Date.now() };
    else delete all[id];
    write(all);
  },
};
