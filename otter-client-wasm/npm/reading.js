import { isHidden } from './page.js';
import { unref } from './timer.js';

const CONVERSATION_MS = 2000;
const FIRST_MS = 600;
const ITEMS_MS = 4000;
/** The most items that one command names. */
const BATCH = 100;

/**
 * What was read in this tab and its hub does not know yet. It counts as read at once; the hub hears of it now and then,
 * and at the latest when the page is hidden.
 *
 * @param {{ command: import('./index.js').Client['command'], changed: () => void }} of
 */
export function createReading({ command, changed }) {
  /**
   * @typedef {{ count: number, owed: boolean, unanswered: number, timer?: ReturnType<typeof setTimeout> }} Reader
   * @type {Map<string, Reader>} by conversation
   */
  const readers = new Map();
  /** @type {Set<string>} feed items that count as read */
  const items = new Set();
  /** @type {Set<string>} those that the hub has to hear of */
  let waiting = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let version = 0;
  let watching = false;

  function tell() {
    version += 1;
    changed();
  }

  /** @param {boolean} on */
  function watch(on) {
    if (watching === on) return;
    watching = on;
    const verb = on ? 'addEventListener' : 'removeEventListener';
    // Before those who take the page's leave of the hub.
    for (const type of ['pagehide', 'visibilitychange']) globalThis[verb]?.(type, leave, true);
  }

  function stopTimers() {
    clearTimeout(timer);
    for (const reader of readers.values()) clearTimeout(reader.timer);
    timer = undefined;
  }

  /** Somebody else is here: what the former person read is not theirs. */
  function forget() {
    stopTimers();
    waiting = new Set();
    items.clear();
    readers.clear();
    tell();
  }

  /** @param {Event} event */
  function leave({ type }) {
    if (type === 'pagehide' || isHidden()) flush();
  }

  /** @param {string} id a conversation @param {number} count how many of its messages @returns {any} null when its command comes later */
  function readTo(id, count) {
    watch(true);
    const reader = readers.get(id) ?? { count, owed: false, unanswered: 0 };
    readers.set(id, reader);
    reader.count = count;
    reader.owed = Boolean(reader.timer);
    tell();
    return reader.owed ? null : mark(id, reader);
  }

  /** @param {string} id @param {Reader} reader */
  function mark(id, reader) {
    clearTimeout(reader.timer);
    reader.owed = false;
    reader.unanswered += 1;
    reader.timer = unref(setTimeout(() => {
      reader.timer = undefined;
      if (reader.owed) mark(id, reader);
      else settle(id, reader);
    }, CONVERSATION_MS));
    const handle = command('conversation.markRead', { conversationId: id, messageCount: reader.count });
    handle.accepted.then(() => {
      reader.unanswered -= 1;
      settle(id, reader);
    });
    return handle;
  }

  /** From its answer on the hub's own mark says what is read. @param {string} id @param {Reader} reader */
  function settle(id, reader) {
    if (reader.timer || reader.unanswered > 0 || readers.get(id) !== reader) return;
    readers.delete(id);
    tell();
  }

  /** @param {string[]} ids */
  function readItems(ids) {
    if (ids.length === 0) return;
    watch(true);
    for (const id of ids) {
      waiting.add(id);
      items.add(id);
    }
    timer ??= unref(setTimeout(markItems, FIRST_MS));
    tell();
  }

  function markItems() {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size === 0) return;
    const ids = [...waiting];
    waiting = new Set();
    timer = unref(setTimeout(markItems, ITEMS_MS));
    for (let at = 0; at < ids.length; at += BATCH) {
      const itemIds = ids.slice(at, at + BATCH);
      command('feed.markRead', { itemIds }).accepted.then(() => {
        for (const id of itemIds) if (!waiting.has(id)) items.delete(id);
        tell();
      });
    }
  }

  /** All that the hub does not know is told now. */
  function flush() {
    markItems();
    for (const [id, reader] of readers) if (reader.owed) mark(id, reader);
  }

  return {
    readTo,
    readItems,
    /** @param {string} id a conversation @returns {number} how many of its messages were read here */
    count: (id) => readers.get(id)?.count ?? 0,
    /** @param {string} id a feed item */
    has: (id) => items.has(id),
    /** Another number after each change. */
    version: () => version,
    forget,
    stop() {
      flush();
      watch(false);
      stopTimers();
    },
  };
}
