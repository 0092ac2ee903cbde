import { h } from '../dom.js';
import { page } from './page.js';

/** @param {any} client @param {any} route @param {any} shell */
export function feedPage(client, route, shell) {
  return page(client, shell, { name: 'feed', title: 'Feed' }, h('div', { class: 'empty' }, h('p', {}, 'Nothing here yet.')));
}
