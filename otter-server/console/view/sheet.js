import { h, show, text } from '../dom.js';
import { age } from '../seconds.js';

/** Names with values; a name without a value is not shown. @param {string} className @param {string[]} names */
export function sheet(className, names) {
  const element = h('dl', { class: className });
  const values = new Map(names.map((name) => {
    const value = h('dd');
    const row = h('div', { hidden: true, 'data-fact': name }, h('dt', {}, name), value);
    element.append(row);
    return [name, { row, value }];
  }));
  const of = (/** @type {string} */ name) => /** @type {any} */ (values.get(name));
  return {
    element,
    /** @param {string} name @param {string | undefined} words */
    set(name, words) {
      const { row, value } = of(name);
      show(row, Boolean(words));
      text(value, words ?? '');
      value.title = words ?? '';
    },
    /** @param {string} name @param {string | undefined} at */
    age(name, at) {
      const { row, value } = of(name);
      show(row, Boolean(at));
      age(value, at);
    },
  };
}
