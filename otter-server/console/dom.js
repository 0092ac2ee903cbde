/**
 * Makes an element. `on…` properties are listeners, `class` and names with a dash are attributes, null and false leave
 * an attribute out, anything else is a property. Children are nodes or text, never markup.
 *
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string | null | false)} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class' || name.includes('-') || name === 'role' || name === 'for') attribute(element, name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** Sets an attribute only when it differs; null, undefined and false remove it. @param {Element} element @param {string} name @param {any} value */
export function attribute(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Sets text only when it differs, so that a selection in it survives. @param {Element} element @param {string} value */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** @param {any} element @param {boolean} shown */
export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

/**
 * Whether a key belongs to the composition of a character. The one that ends it says so in Safari by its code only.
 *
 * @param {KeyboardEvent} event
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} tag @param {Record<string, string>} attributes @param {...Node} children */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An icon of 20 by 20, drawn as strokes. @param {string} path */
export function icon(path) {
  return svg('svg', { viewBox: '0 0 20 20', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: path }));
}

/**
 * Runs `fn` with the value of a store at once and after each change.
 *
 * @template T
 * @param {{ get(): T, subscribe(fn: () => void): () => void }} store
 * @param {(value: T) => void} fn
 */
export function watch(store, fn) {
  const off = store.subscribe(() => fn(store.get()));
  fn(store.get());
  return off;
}

/** Collects what has to be ended together. */
export function bag() {
  /** @type {(() => void)[]} */
  let ends = [];
  return {
    /** @param {...(() => void)} fns */
    add: (...fns) => void ends.push(...fns),
    end() {
      const all = ends;
      ends = [];
      all.forEach((end) => end());
    },
  };
}

/** Where the browser can, what moves keeps the keyboard. @param {any} parent @param {any} child @param {any} before */
function move(parent, child, before) {
  if (child.isConnected && parent.moveBefore) parent.moveBefore(child, before);
  else parent.insertBefore(child, before);
}

/** Makes elements the children of a parent, in order, and touches none that is in its place. @param {any} parent @param {any[]} elements */
export function arrange(parent, elements) {
  let at = parent.firstElementChild;
  for (const element of elements) {
    if (element === at) at = at.nextElementSibling;
    else move(parent, element, at);
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

/**
 * Keeps the children of `parent` equal to a list of keys. The element of a key is made once and lives until its key goes.
 * A view with `leave` may take its time to go: it makes its element inert and removes it.
 *
 * @typedef {{ element: any, end?: () => void, update?: (item: any) => void, leave?: (done: () => void) => void }} View
 * @param {Element} parent
 * @param {(key: string) => View} make
 */
export function keyed(parent, make) {
  /** @type {Map<string, View>} */
  const views = new Map();
  /** @param {readonly { key: string, item?: any }[]} entries */
  function set(entries) {
    const wanted = new Set(entries.map(({ key }) => key));
    for (const [key, view] of views) if (!wanted.has(key)) drop(key, view);
    let at = parent.firstElementChild;
    for (const { key, item } of entries) {
      let view = views.get(key);
      if (!view) views.set(key, (view = make(key)));
      view.update?.(item);
      while (at?.inert) at = at.nextElementSibling;
      if (view.element === at) at = at.nextElementSibling;
      else move(parent, view.element, at);
    }
  }
  /** @param {string} key @param {View} view */
  function drop(key, view) {
    views.delete(key);
    view.end?.();
    if (view.leave && parent.isConnected) view.leave(() => view.element.remove());
    else view.element.remove();
  }
  return { set, get: (/** @type {string} */ key) => views.get(key), end: () => views.forEach((view, key) => drop(key, view)) };
}

/** Marks the chosen one of some chips, and brings it into sight in its own row. @param {any} chip @param {string} name an attribute @param {string | null} value null: not chosen */
export function choose(chip, name, value) {
  if (chip.getAttribute(name) === value) return;
  attribute(chip, name, value);
  if (value === null || value === 'false') return;
  if (chip.isConnected) bringIntoRow(chip);
  else queueMicrotask(() => bringIntoRow(chip));
}

/** @param {any} chip */
function bringIntoRow(chip) {
  const row = chip.parentElement;
  const [left, right] = [chip.offsetLeft - row.offsetLeft, chip.offsetLeft - row.offsetLeft + chip.offsetWidth];
  if (left < row.scrollLeft || right > row.scrollLeft + row.clientWidth) row.scrollLeft = left - 24;
}
