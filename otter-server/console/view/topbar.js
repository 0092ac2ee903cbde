import { announce } from '../announce.js';
import { attribute, h, icon, show, text, watch } from '../dom.js';
import { everySecond } from '../seconds.js';
import { connectionText } from '../words.js';
import { people } from './people.js';
import { selfMenu } from './self.js';
import { switcher } from './switcher.js';

const MARK = new URL('../otter.svg', import.meta.url).href;
const GLASS = 'M8.700 14.400a5.700 5.700 0 1 0 0-11.400 5.700 5.700 0 0 0 0 11.400zM13 13l4 4';

/** The bar over everything: who we are, how the page is connected, who else is here. @param {any} client @param {any} route */
export function topbar(client, route) {
  const title = h('span', { class: 'pill-title' });
  const detail = h('span', { class: 'pill-detail' });
  const waits = h('span', { class: 'pill-waits', 'data-testid': 'held', hidden: true });
  const pill = h('div', { class: 'pill', role: 'group', 'aria-label': 'Connection', 'data-testid': 'connection' }, h('span', { class: 'dot' }), title, detail, waits);
  const element = h('header', { class: 'topbar' },
    h('a', { class: 'home', href: '#/', 'aria-label': 'Otter, conversations' }, h('img', { class: 'mark', src: MARK, alt: '' }), h('span', { class: 'wordmark' }, 'Otter')),
    h('button', { type: 'button', class: 'find', 'data-testid': 'open-switcher', 'aria-keyshortcuts': 'Control+K Meta+K /', onclick: () => switcher(client, route) },
      icon(GLASS), h('span', { class: 'find-words' }, 'Go to…'), h('kbd', {}, /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘K' : 'Ctrl K')),
    h('span', { class: 'spacer' }),
    people(client), pill, selfMenu(client),
    h('div', { class: 'river', 'aria-hidden': 'true' }));

  const paint = () => {
    const connection = client.connection.get();
    const words = connectionText(connection, Date.now());
    attribute(pill, 'data-phase', connection.phase);
    text(title, words.title);
    text(detail, words.detail);
    pill.title = [words.title, words.detail, connection.code && `close code ${connection.code}`].filter(Boolean).join(' · ');
  };
  const paintWaits = () => {
    const held = client.commands().get().filter((/** @type {any} */ { state }) => state === 'held' || state === 'sent').length;
    show(waits, held > 0 && client.connection.get().phase !== 'online');
    text(waits, `${held} ${held === 1 ? 'waits' : 'wait'} here`);
    waits.title = 'What you asked for goes out by itself when the connection is back.';
  };
  tellConnection(client);
  watch(client.connection, paint);
  everySecond(paint);
  watch(client.commands(), paintWaits);
  watch(client.connection, paintWaits);
  return element;
}

/** The bar counts seconds; what is said is only that the connection was lost and that it is back. @param {any} client */
function tellConnection(client) {
  let lost = false;
  watch(client.connection, ({ phase }) => {
    const now = phase === 'waiting' || (lost && phase !== 'online');
    if (now !== lost) announce(now ? 'The connection is lost' : 'Connected again');
    lost = now;
  });
}
