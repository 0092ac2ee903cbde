const DRAFTS = 'otter.drafts';
const UNSENT = 'otter.unsent';
const KEPT = 100;

/** @param {Storage} storage @param {string} key @returns {Record<string, any>} */
function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? '{}');
  } catch {
    return {};
  }
}

/** The newest entries, as many as are kept. @param {Storage} storage @param {string} key @param {Record<string, any>} value */
function write(storage, key, value) {
  try {
    const entries = Object.entries(value).sort(([, a], [, b]) => b.at - a.at).slice(0, KEPT);
    storage.setItem(key, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // Full or forbidden: the text is still in the composer.
  }
}

/** What was typed and not sent, per conversation, over reloads and restarts of the browser. */
export const drafts = {
  /** @param {string} id @returns {string} */
  get: (id) => read(localStorage, DRAFTS)[id]?.text ?? '',
  /** @param {string} id @param {string} text */
  set(id, text) {
    const all = read(localStorage, DRAFTS);
    if (text) all[id] = { text, at: Date.now() };
    else delete all[id];
    write(localStorage, DRAFTS, all);
  },
};

/** Commands of this page, which has their words itself. */
const ours = new Set();

/**
 * What was sent and is not known to have reached the hub, by command. It belongs to this tab: what a reload finds here
 * was lost with the page, unless its message is there.
 */
export const unsent = {
  /** Remembers the words of a command until the hub has it or it is dismissed. @param {any} handle @param {string} conversationId @param {string} text */
  track(handle, conversationId, text) {
    ours.add(handle.id);
    write(sessionStorage, UNSENT, { ...read(sessionStorage, UNSENT), [handle.id]: { conversationId, text, at: Date.now() } });
    handle.subscribe(() => handle.get().state === 'dismissed' && remove(handle.id));
    handle.accepted.then((/** @type {any} */ { state }) => state !== 'refused' && state !== 'closed' && remove(handle.id));
  },
  /** @param {string} commandId @param {any} handle of the new attempt */
  retried(commandId, handle) {
    const old = read(sessionStorage, UNSENT)[commandId];
    remove(commandId);
    if (old) unsent.track(handle, old.conversationId, old.text);
  },
  /** Takes out what an earlier page of this tab left. @param {string} conversationId @returns {{ commandId: string, text: string }[]} oldest first */
  takeLost(conversationId) {
    const lost = Object.entries(read(sessionStorage, UNSENT))
      .filter(([commandId, each]) => each.conversationId === conversationId && !ours.has(commandId))
      .sort(([, a], [, b]) => a.at - b.at);
    lost.forEach(([commandId]) => remove(commandId));
    return lost.map(([commandId, { text }]) => ({ commandId, text }));
  },
};

/** @param {string} commandId */
function remove(commandId) {
  const all = read(sessionStorage, UNSENT);
  if (!(commandId in all)) return;
  delete all[commandId];
  write(sessionStorage, UNSENT, all);
}
