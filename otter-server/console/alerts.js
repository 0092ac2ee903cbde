import { notify } from './notices.js';

/**
 * Tells of a critical alert while another page is open. What was missed is in the feed, and its count on the way there.
 *
 * @param {any} client @param {ReturnType<import('./route.js').createRoute>} route
 */
export function tellAlerts(client, route) {
  client.on('feed.itemAdded', (/** @type {any} */ { id, data }, /** @type {{ replayed: boolean }} */ { replayed }) => {
    if (replayed || data.category !== 'alert' || data.severity !== 'critical' || route.place().page === 'feed') return;
    notify(`alert ${id}`, { words: data.title, detail: data.from, tone: 'bad', lasts: 20_000, actions: [['Look', () => route.go('feed', 'alert')]] });
  });
}
