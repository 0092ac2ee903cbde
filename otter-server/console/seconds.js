import { text } from './dom.js';
import { clock, span } from './words.js';

/** @type {Set<() => void>} */
const listeners = new Set();

/** Runs `fn` at once and then each second while the page is visible. @param {() => void} fn */
export function everySecond(fn) {
  listeners.add(fn);
  fn();
  return () => void listeners.delete(fn);
}

const FORMS = {
  ago: (/** @type {number} */ ms) => (ms < 5000 ? 'just now' : `${span(ms)} ago`),
  short: (/** @type {number} */ ms) => (ms < 5000 ? 'now' : span(ms)),
  for: (/** @type {number} */ ms) => span(ms),
  clock,
};

/**
 * Shows in an element how long ago an instant was, and keeps that true.
 *
 * @param {any} element
 * @param {string | number | null | undefined} at an instant, RFC 3339 or ms; nothing is shown without it
 * @param {keyof FORMS} [form]
 */
export function age(element, at, form = 'ago') {
  const ms = typeof at === 'string' ? Date.parse(at) : (at ?? NaN);
  if (element.otterAge?.at === ms && element.otterAge.form === form) return;
  element.otterAge = { at: ms, form };
  if (Number.isNaN(ms)) {
    element.removeAttribute('data-age');
    text(element, '');
    return;
  }
  element.setAttribute('data-age', '');
  element.title = new Date(ms).toLocaleString();
  paint(element);
}

let now = Date.now;

/** @param {any} element */
function paint(element) {
  const { at, form } = element.otterAge;
  text(element, FORMS[form](now() - at));
}

/** Starts the clock of the page. @param {() => number} clockOfTheHub */
export function startSeconds(clockOfTheHub) {
  now = clockOfTheHub;
  const tick = () => {
    if (document.visibilityState === 'hidden') return;
    document.querySelectorAll('[data-age]').forEach(paint);
    listeners.forEach((fn) => fn());
  };
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
}
