import { h } from '../dom.js';
import { limitedField } from './field.js';

let count = 0;

/**
 * A window over the page: the keyboard stays in it, Escape and a click beside it close it, and the keyboard goes back to
 * where it was.
 *
 * @param {{ title: string, name: string, onclose?: () => void, bare?: boolean }} what `bare`: without heading
 * @param {...any} children
 */
export function openDialog({ title, name, onclose, bare = false }, ...children) {
  const id = `dialog-${(count += 1)}`;
  const head = h('header', { class: 'dialog-head' }, h('h2', { id }, title),
    h('button', { type: 'button', class: 'quiet dialog-close', 'aria-label': 'Close', onclick: () => element.close() }, '×'));
  const element = h('dialog', { class: 'dialog', tabIndex: -1, 'data-testid': `${name}-dialog`, 'data-name': name, 'aria-labelledby': bare ? null : id, 'aria-label': bare ? title : null },
    bare ? null : head, ...children);
  let pressedBeside = false;
  element.addEventListener('pointerdown', (/** @type {Event} */ { target }) => (pressedBeside = target === element));
  element.addEventListener('click', (/** @type {Event} */ { target }) => target === element && pressedBeside && element.close());
  element.addEventListener('close', () => {
    element.remove();
    onclose?.();
  });
  document.body.append(element);
  element.showModal();
  element.focus();
  return { element, close: () => element.close() };
}

/**
 * Asks for one line of text.
 *
 * @param {{ title: string, name: string, label: string, value: string, hint?: string, limit: import('../limits.js').Limit, options?: string[], action: string, done: (value: string) => void }} what
 */
export function askLine({ title, name, label, value, hint, limit, options = [], action, done }) {
  const input = h('input', { type: 'text', class: 'text-input', value, autocomplete: 'off' });
  const list = h('datalist', { id: `${name}-options` }, ...options.map((each) => h('option', { value: each })));
  if (options.length > 0) input.setAttribute('list', list.id);
  const form = h('form', { class: 'dialog-body', onsubmit: submit }, limitedField(label, input, limit, hint), list,
    h('div', { class: 'dialog-foot' }, h('button', { type: 'submit', class: 'primary' }, action)));
  const dialog = openDialog({ title, name }, form);
  input.focus();
  input.select();

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    dialog.close();
    done(input.value.trim());
  }
}
