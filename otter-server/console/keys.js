import { isComposing } from './dom.js';
import { NAV } from './view/nav.js';
import { help } from './view/help.js';
import { switcher } from './view/switcher.js';

const CHORD_MS = 1500;

/**
 * The keys that work anywhere. Single letters only while nobody types.
 *
 * @param {any} client @param {ReturnType<import('./route.js').createRoute>} route
 */
export function listenToKeys(client, route) {
  let chordAt = -Infinity;

  /** @param {string} key @param {number} at @returns {(() => void) | undefined} */
  function letter(key, at) {
    if (at - chordAt < CHORD_MS) {
      chordAt = -Infinity;
      const page = NAV.find(([, , letter]) => letter === key)?.[0];
      return page && (() => route.go(page));
    }
    return {
      g: () => void (chordAt = at),
      '?': help,
      '/': () => switcher(client, route),
      f: () => visible('[data-filter]')?.focus(),
      j: () => walk(1),
      k: () => walk(-1),
      n: () => /** @type {any} */ (visible('[data-new]'))?.click(),
    }[key];
  }

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || isComposing(event) || document.querySelector('dialog[open]')) return;
    const run = command(event) ?? (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey ? undefined : letter(event.key, event.timeStamp) ?? arrow(event));
    if (!run) return;
    event.preventDefault();
    run();
  });

  /** @param {KeyboardEvent} event */
  function command(event) {
    if (event.key === 'k' && (event.metaKey || event.ctrlKey)) return () => switcher(client, route);
    if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp') && route.place().page === 'conversations') {
      return () => nextConversation(route, event.key === 'ArrowDown' ? 1 : -1);
    }
    return undefined;
  }
}

/** The arrows walk a list that has the keyboard already. @param {KeyboardEvent} event */
function arrow({ key, target }) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  return step && target instanceof Element && target.closest('[data-walk-row]') ? () => walk(step) : undefined;
}

/** @param {KeyboardEvent} event */
const isTyping = ({ target }) => target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));

/** @param {string} selector @param {any} [within] @returns {HTMLElement | undefined} the last one that can be seen: the page comes after the side */
const visible = (selector, within = document) => [...within.querySelectorAll(selector)].filter((each) => each.checkVisibility()).at(-1);

/** Goes to the next row of the list that has the keyboard, or into the list of the page. @param {number} step */
function walk(step) {
  const now = document.activeElement?.closest('[data-walk-row]');
  const list = now?.closest('[data-walk]') ?? visible('[data-walk]');
  if (!list) return;
  const rows = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[data-walk-row]')]);
  const current = now ?? list.querySelector('[aria-current="page"]');
  const next = rows[current ? rows.indexOf(/** @type {any} */ (current)) + step : step > 0 ? 0 : rows.length - 1];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

/** @param {any} route @param {number} step */
function nextConversation(route, step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-testid="conversation-row"]')]);
  const next = rows[rows.findIndex(({ dataset }) => dataset.conversationId === route.current()) + step];
  if (next?.dataset.conversationId) route.open(next.dataset.conversationId);
  next?.scrollIntoView({ block: 'nearest' });
}
