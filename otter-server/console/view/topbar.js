import { attribute, h, text, watch } from '../dom.js';
import { everySecond } from '../seconds.js';
import { connectionText } from '../words.js';

const MARK = new URL('../otter.svg', import.meta.url).href;

/** The bar over everything: who we are and how the page is connected. @param {any} client */
export function topbar(client) {
  const title = h('span', { class: 'pill-title' });
  const detail = h('span', { class: 'pill-detail' });
  const pill = h('div', { class: 'pill', role: 'status', 'data-testid': 'connection' }, h('span', { class: 'dot' }), title, detail);
  const who = h('span', { class: 'who' });
  const element = h('header', { class: 'topbar' },
    h('img', { class: 'mark', src: MARK, alt: '' }),
    h('span', { class: 'wordmark' }, 'Otter'),
    h('span', { class: 'spacer' }),
    who,
    pill,
    h('div', { class: 'river', 'aria-hidden': 'true' }));

  const paint = () => {
    const connection = client.connection.get();
    const words = connectionText(connection, Date.now());
    attribute(pill, 'data-phase', connection.phase);
    text(title, words.title);
    text(detail, words.detail);
    pill.title = connection.code ? `close code ${connection.code}` : '';
  };
  watch(client.connection, paint);
  everySecond(paint);
  watch(client.self, (self) => text(who, self?.name ?? ''));
  return element;
}
