import { bag, h, text } from '../dom.js';
import { setTitle } from '../page-title.js';
import { staleBar } from './stale.js';

/**
 * The frame of a page beside the conversations: a heading, what may be done, a note while it cannot be followed, and
 * the part that scrolls.
 *
 * @param {any} client @param {{ liveUntil(): number | null }} shell
 * @param {{ name: string, title: string, actions?: any[], below?: any[] }} what
 * @param {...any} children
 */
export function page(client, shell, { name, title, actions = [], below = [] }, ...children) {
  const ends = bag();
  const heading = h('h1', { tabIndex: -1 }, title);
  const note = h('p', { class: 'page-note' });
  const stale = staleBar(client, shell);
  const scroller = h('div', { class: 'page-scroll' }, ...children);
  const element = h('section', { class: 'page', 'data-page': name, 'aria-label': title },
    h('header', { class: 'page-head' }, h('div', { class: 'page-name' }, heading, note), h('div', { class: 'page-actions' }, ...actions)),
    ...below, stale.element, scroller);
  ends.add(stale.end);
  setTitle(title);
  return {
    element,
    scroller,
    ends,
    end: ends.end,
    /** @param {string} words */
    note: (words) => text(note, words),
    focus: () => heading.focus({ preventScroll: true }),
  };
}
