import { h } from '../dom.js';
import { page } from './page.js';

/** @param {any} client @param {any} route @param {any} shell */
export function tasksPage(client, route, shell) {
  return page(client, shell, { name: 'tasks', title: 'Tasks' }, h('div', { class: 'empty' }, h('p', {}, 'Nothing here yet.')));
}
