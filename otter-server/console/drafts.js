const DRAFTS = 'otter.drafts';
const KEPT = 100;

/** @typedef {Record<string, { text: string, at: number }>} Drafts by person and conversation */

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

/** Nobody finds the words of another person who uses this browser. @param {any} self @param {string} id */
const keyOf = (self, id) => `${self.org} ${self.id} ${id}`;

/** What a person typed and did not send, per conversation, over reloads and restarts of the browser. */
export const drafts = {
  /** @param {any} self who is signed in, null while that is not known @param {string} id @returns {string} */
  get: (self, id) => (self ? (read()[keyOf(self, id)]?.text ?? '') : ''),
  /** @param {any} self @param {string} id @param {string} text */
  set(self, id, text) {
    if (!self || text === drafts.get(self, id)) return;
    const all = { ...read() };
    if (text) all[keyOf(self, id)] = { text, at: Date.now() };
    else delete all[keyOf(self, id)];
    write(all);
  },
};
