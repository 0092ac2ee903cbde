import { attribute, h, text } from './dom.js';

const SHOWN = 4;
const LASTS_MS = 8000;

/**
 * Notices at the edge of the screen: what happened, and the one thing that can be done about it.
 *
 * @typedef {{ words: string, detail?: string, tone?: 'plain' | 'bad', actions?: [label: string, run: () => void][], lasts?: number, onclose?: () => void }} Notice
 */
export const noticeBoard = h('div', { class: 'notices', role: 'region', 'aria-label': 'Notices', 'aria-live': 'polite' });

/** @type {Map<string, () => void>} */
const open = new Map();

/**
 * Shows a notice. One with the same key is replaced. Without `lasts` it goes by itself after some seconds, and waits
 * while somebody points at it or has the keyboard in it; with `lasts: 0` it stays until it is closed.
 *
 * @param {string} key @param {Notice} notice @returns {() => void} takes it away
 */
export function notify(key, { words, detail = '', tone = 'plain', actions = [], lasts = LASTS_MS, onclose }) {
  open.get(key)?.();
  const element = h('div', { class: 'toast', 'data-testid': 'notice', 'data-tone': tone, 'data-key': key, role: tone === 'bad' ? 'alert' : null },
    h('div', { class: 'toast-words' }, h('strong', {}, words), detail && h('span', {}, detail)),
    ...actions.map(([label, run]) => h('button', { type: 'button', class: 'toast-action', onclick: () => (close(), run()) }, label)),
    h('button', { type: 'button', class: 'quiet toast-close', 'aria-label': 'Dismiss', onclick: () => (close(), onclose?.()) }, '×'));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const rest = () => clearTimeout(timer);
  const run = () => {
    rest();
    if (lasts > 0) timer = setTimeout(close, lasts);
  };
  function close() {
    rest();
    if (open.get(key) === close) open.delete(key);
    element.remove();
  }
  for (const [event, fn] of /** @type {const} */ ([['pointerenter', rest], ['focusin', rest], ['pointerleave', run], ['focusout', run]])) element.addEventListener(event, fn);
  open.set(key, close);
  noticeBoard.append(element);
  run();
  [...open.values()].slice(0, -SHOWN).forEach((end) => end());
  return close;
}

/** @param {string} key */
export const withdraw = (key) => open.get(key)?.();

/** Copies words and says so on the button that did it. @param {any} button @param {string} words */
export async function copy(button, words) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(words);
    text(button, 'Copied');
  } catch {
    text(button, 'Copy it by hand');
  }
  attribute(button, 'data-copied', '');
  setTimeout(() => (text(button, label), attribute(button, 'data-copied', null)), 1500);
}
