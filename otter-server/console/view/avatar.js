import { attribute, h, text } from '../dom.js';
import { hueOf } from '../model.js';

/** The first letter of a name on a steady colour. @returns {{ element: any, set(id: string, name: string): void }} */
export function avatar() {
  const element = h('span', { class: 'avatar', 'aria-hidden': 'true' });
  return {
    element,
    set(id, name) {
      attribute(element, 'data-hue', hueOf(id));
      text(element, ([...(name || '?')][0] ?? '?').toUpperCase());
    },
  };
}

/** Three ripples: a run is going on. */
export function ripple() {
  return h('span', { class: 'ripple', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
}
