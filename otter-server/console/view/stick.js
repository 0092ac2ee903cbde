import { show } from '../dom.js';

const NEAR = 48;

/**
 * Keeps a scroller at its end while the reader is there, and leaves it alone when they scrolled up.
 *
 * @param {any} scroller @param {any} button shown while the end is out of sight
 */
export function stickToEnd(scroller, button) {
  let atEnd = true;
  let height = 0;

  const toEnd = () => {
    atEnd = true;
    keep();
  };

  function keep() {
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
    height = scroller.clientHeight;
    show(button, !atEnd);
  }

  scroller.addEventListener('scroll', () => {
    // The place in the text does not change when the keyboard of a phone takes room: that is not scrolling.
    if (scroller.clientHeight !== height) return keep();
    atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
    show(button, !atEnd);
  }, { passive: true });
  button.addEventListener('click', toEnd);
  const sizes = new ResizeObserver(keep);
  sizes.observe(scroller);
  for (const child of scroller.children) sizes.observe(child);
  return { keep, toEnd, end: () => sizes.disconnect() };
}
