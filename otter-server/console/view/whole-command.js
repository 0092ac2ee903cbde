import { attribute, h, icon, show, text } from '../dom.js';
import { inPlainSight, lengthOf } from './plain-sight.js';

const DOWN = 'M10 4v12M5 11l5 5 5-5';
const DONE = 'M4.5 10.5 8.5 14.5 15.5 6';

/**
 * The whole of a command, and whether its end has been on the screen: only then may it be allowed.
 *
 * @param {() => void} changed
 */
export function wholeCommand(changed) {
  const code = h('code');
  const box = h('pre', { class: 'command-text', tabIndex: 0, role: 'group', onscroll: look }, code);
  const words = h('span');
  const more = h('button', { type: 'button', class: 'quiet', 'data-testid': 'approval-show-whole', onclick: unfold }, icon(DOWN), words);
  const done = h('span', { class: 'command-done' }, icon(DONE), 'Read to its end');
  // Its line stays once it is read: nothing moves under the finger that goes for a button.
  const line = h('div', { class: 'command-more', hidden: true }, more, h('span', { class: 'command-why' }, 'Read it to its end before you allow it.'), done);
  const element = h('div', { class: 'command-box' }, h('div', { class: 'command-frame' }, box), line);
  let shown = '';
  let seen = false;
  const sizes = new ResizeObserver(look);
  sizes.observe(box);

  function look() {
    if (box.clientHeight === 0) return;
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
    const before = seen;
    seen ||= atEnd;
    attribute(element, 'data-cut', atEnd ? null : '');
    if (!seen) show(line, true);
    show(more, !seen);
    attribute(line, 'data-seen', seen ? '' : null);
    if (seen !== before) changed();
  }

  function unfold() {
    attribute(element, 'data-unfolded', '');
    look();
    box.focus({ preventScroll: true });
  }

  return {
    element,
    isSeen: () => seen,
    /** @param {string} command @param {string} label */
    set(command, label) {
      attribute(box, 'aria-label', label);
      if (command === shown) return;
      shown = command;
      seen = false;
      attribute(element, 'data-unfolded', null);
      code.replaceChildren(...inPlainSight(command));
      show(line, false);
      text(words, `Show the whole command (${lengthOf(command)})`);
      box.scrollTop = 0;
      look();
    },
    end: () => sizes.disconnect(),
  };
}
