import { isOpen } from '../approval-words.js';

const LEAVES_AFTER_MS = 5000;
const MAY_HOVER = matchMedia('(hover: hover)');

/**
 * Which approvals a list of open ones shows, and in which order: by the time they were asked, whatever became of them.
 * One that ended stays in its place for a moment, and as long as the pointer is on the list.
 *
 * @param {any} list the element that holds the cards
 * @param {() => void} again asks for the next look
 */
export function createOpenApprovals(list, again) {
  /** @type {Map<string, number>} when those that were shown ended */
  const ended = new Map();
  /** @type {Set<string>} */
  let shown = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const isHeld = () => MAY_HOVER.matches && list.matches(':hover');

  /** @param {readonly any[]} rows @returns {any[]} oldest first */
  function choose(rows) {
    const now = performance.now();
    const stays = (/** @type {any} */ row) => {
      if (isOpen(row)) return true;
      if (!shown.has(row.id)) return false;
      if (!ended.has(row.id)) ended.set(row.id, now);
      return isHeld() || now - (ended.get(row.id) ?? 0) < LEAVES_AFTER_MS;
    };
    const chosen = rows.filter(stays).sort((a, b) => (a.requestedAt < b.requestedAt || (a.requestedAt === b.requestedAt && a.id < b.id) ? -1 : 1));
    shown = new Set(chosen.map(({ id }) => id));
    for (const id of ended.keys()) if (!shown.has(id)) ended.delete(id);
    clearTimeout(timer);
    if (ended.size > 0) timer = setTimeout(again, 1000);
    return chosen;
  }

  return { choose, end: () => clearTimeout(timer) };
}

/**
 * Where the keyboard goes when the card that has it leaves: to the next one that waits, else to `otherwise`.
 *
 * @param {any} list @param {(entries: any[]) => void} set @param {any[]} entries @param {() => void} otherwise
 */
export function keepFocus(list, set, entries, otherwise) {
  const had = list.contains(document.activeElement);
  set(entries);
  if (!had || list.contains(document.activeElement)) return;
  const next = list.querySelector('[data-state=pending]');
  if (next) next.focus({ preventScroll: true });
  else otherwise();
}
