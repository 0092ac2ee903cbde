import { attribute, h } from '../dom.js';

/**
 * A list of things to do, opened at a button or where somebody clicked.
 *
 * @typedef {{ label: string, run?: () => void, checked?: boolean, danger?: boolean, hint?: string, heading?: boolean }} Item
 */

const EDGE = 8;
/** @type {(() => void) | null} */
let closeOpen = null;

/** @param {any} anchor the button, which gets the keyboard back @param {(Item | null)[]} items null separates @param {{ x: number, y: number }} [at] */
export function openMenu(anchor, items, at) {
  closeOpen?.();
  const element = h('div', { class: 'menu', role: 'menu', popover: 'auto', onkeydown: onKey, ontoggle: onToggle }, ...items.map(line));
  const buttons = () => [...element.querySelectorAll('button')];

  /** @param {Item | null} item */
  function line(item) {
    if (!item) return h('hr', {});
    if (item.heading) return h('div', { class: 'menu-heading', role: 'presentation' }, item.label);
    const role = item.checked === undefined ? 'menuitem' : 'menuitemradio';
    return h('button', { type: 'button', role, class: 'menu-item', tabIndex: -1, 'aria-checked': item.checked === undefined ? null : String(item.checked), 'data-danger': item.danger ? '' : null, onclick: () => (close(), item.run?.()) },
      h('span', {}, item.label), item.hint ? h('kbd', {}, item.hint) : null);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const all = buttons();
    const now = all.indexOf(document.activeElement);
    const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
    if (event.key === 'Tab') close();
    if (event.key === 'Escape') event.stopPropagation();
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    all.at(next % all.length)?.focus();
  }

  /** @param {any} event */
  function onToggle(event) {
    if (event.newState === 'closed') close();
  }

  function close() {
    if (!element.isConnected) return;
    closeOpen = null;
    const hadFocus = element.contains(document.activeElement) || document.activeElement === document.body;
    element.remove();
    attribute(anchor, 'aria-expanded', 'false');
    if (hadFocus) anchor.focus?.({ preventScroll: true });
  }

  document.body.append(element);
  element.showPopover();
  place(element, at ?? anchor.getBoundingClientRect());
  attribute(anchor, 'aria-expanded', 'true');
  closeOpen = close;
  (element.querySelector('[aria-checked="true"]') ?? buttons()[0])?.focus({ preventScroll: true });
  return close;
}

/** Below what it belongs to, above where there is no room. @param {any} element @param {any} at a rectangle or a point */
export function place(element, at) {
  const { left = at.x, right = at.x, top = at.y, bottom = at.y } = at;
  const { width, height } = element.getBoundingClientRect();
  const x = left + width + EDGE > innerWidth ? right - width : left;
  const y = bottom + 4 + height + EDGE > innerHeight ? top - height - 4 : bottom + 4;
  element.style.left = `${Math.max(EDGE, Math.min(x, innerWidth - width - EDGE))}px`;
  element.style.top = `${Math.max(EDGE, y)}px`;
}
