import { attribute, h, icon, show, text, watch } from '../dom.js';
import { link } from '../route.js';
import { inTrouble } from '../model.js';
import { setWaiting } from '../page-title.js';

/** Order, name, key after `g`, and drawing of the pages. */
export const NAV = /** @type {const} */ ([
  ['conversations', 'Chats', 'c', 'M4.500 4h11A1.500 1.500 0 0 1 17 5.500v7a1.500 1.500 0 0 1-1.500 1.500H10l-4 3v-3H4.500A1.500 1.500 0 0 1 3 12.500v-7A1.500 1.500 0 0 1 4.500 4z'],
  ['approvals', 'Approvals', 'a', 'M10 2.500l6.200 2.300v4.700c0 3.900-2.600 6.700-6.200 8-3.600-1.300-6.200-4.100-6.200-8V4.800zM7.200 10l2 2 3.700-4'],
  ['tasks', 'Tasks', 't', 'M3.500 4h3.600v12H3.500zM8.200 4h3.600v7.500H8.200zM12.900 4h3.600v10h-3.600z'],
  ['feed', 'Feed', 'f', 'M3 11.500 5.300 4h9.400L17 11.500V16H3zM3 11.500h4.200l1 2h3.600l1-2H17'],
  ['fleet', 'Fleet', 'm', 'M3 4h14v5H3zM3 11h14v5H3zM6 6.500h.01M6 13.500h.01M9 6.500h5M9 13.500h5'],
]);

const BADGES = {
  conversations: ['unread-total', 'unread message', 'unread messages'],
  approvals: ['approvals-badge', 'waits for you', 'wait for you'],
  tasks: ['tasks-badge', 'to review', 'to review'],
  feed: ['feed-badge', 'unread item', 'unread items'],
  fleet: ['fleet-badge', 'machine in trouble', 'machines in trouble'],
};

/**
 * The way between the pages, with what waits on each: a rail on a wide screen, a bar at the bottom of a phone.
 *
 * @param {any} client @param {ReturnType<import('../route.js').createRoute>} route
 */
export function nav(client, route) {
  const items = new Map(NAV.map(([page, name, key, path]) => [page, navItem(page, name, key, path)]));
  const element = h('nav', { class: 'nav', 'aria-label': 'Pages' }, ...[...items.values()].map((item) => item.element));
  const set = (/** @type {string} */ page, /** @type {number} */ count) => items.get(/** @type {any} */ (page))?.set(count);
  const tell = () => setWaiting({ approvals: client.approvals().get().pending, unread: client.unread().get() });
  watch(client.unread(), (count) => (set('conversations', count), tell()));
  watch(client.approvals(), ({ pending }) => (set('approvals', pending), tell()));
  watch(client.tasks(), ({ rows }) => set('tasks', rows.filter((/** @type {any} */ task) => task.status === 'review').length));
  watch(client.feed(), ({ unread }) => set('feed', unread));
  watch(client.instances(), ({ rows }) => set('fleet', rows.filter(inTrouble).length));
  const paint = () => {
    const { page } = route.place();
    items.forEach((item, name) => attribute(item.element, 'aria-current', name === page ? 'page' : null));
  };
  route.onChange(paint);
  paint();
  return element;
}

/** @param {import('../route.js').Page} page @param {string} name @param {string} key @param {string} path */
function navItem(page, name, key, path) {
  const [testId, one, many] = BADGES[page];
  const badge = h('span', { class: 'badge', 'data-testid': testId, 'aria-hidden': 'true', hidden: true });
  const spoken = h('span', { class: 'unseen' });
  const element = h('a', { class: 'nav-item', href: link(page), 'data-testid': `nav-${page}`, title: `${name} (g ${key})` },
    h('span', { class: 'nav-icon' }, icon(path), badge), h('span', { class: 'nav-name' }, name), spoken);
  return {
    element,
    /** @param {number} count */
    set(count) {
      attribute(badge, 'data-count', count);
      text(badge, count > 99 ? '99+' : String(count));
      show(badge, count > 0);
      text(spoken, count > 0 ? `, ${count} ${count === 1 ? one : many}` : '');
    },
  };
}
