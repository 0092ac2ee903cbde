import { attribute, h, icon, show, text } from '../dom.js';
import { inPlainSight, lengthOf } from './plain-sight.js';

const DOWN = 'M10 4v12M5 11l5 5 5-5';

/**
 * The whole of a command, and whether its end has been on the screen: only then may it be allowed.
 *
 * @param {() => void} changed
 */
export function wholeCommand(changed) {
  const code = h('code');
  const box = h('pre', { class: 'command-text', tabIndex: 0, role: 'group', onscroll: look }, code);
  const words = h('span');
  const more = h('button', { type: 'button', class: 'quiet command-more', 'data-testid': 'approval-show-whole', onclick: unfold }, icon(DOWN), words);
  const element = h('div', { class: 'command-box' }, h('div', { class: 'command-frame' }, box), more);
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
    show(more, !seen);
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
      text(words, `Show the whole command (${lengthOf(command)})`);
      box.scrollTop = 0;
      look();
    },
    end: () => sizes.disconnect(),
  };
}
