import { h } from '../dom.js';
import { page } from './page.js';

/** @param {any} client @param {any} route @param {any} shell */
export function fleetPage(client, route, shell) {
  return page(client, shell, { name: 'fleet', title: 'Fleet' }, h('div', { class: 'empty' }, h('p', {}, 'Nothing here yet.')));
}
