import { h } from './dom.js';

const region = h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite', 'data-testid': 'announcer' });

/** What a screen reader is told. It is in the page once. */
export const announcer = region;

/** Says something that is seen elsewhere on the screen. @param {string} words */
export function announce(words) {
  // The same words again are news too.
  region.textContent = '';
  requestAnimationFrame(() => (region.textContent = words));
}
