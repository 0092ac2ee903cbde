import { bag, h, show, text, watch } from '../dom.js';
import { everySecond } from '../seconds.js';
import { connectionText, span } from '../words.js';

/**
 * A bar that is there while what is shown cannot be followed, with the age of it. It changes each second: a screen reader
 * is told by the announcer when that begins and ends.
 *
 * @param {any} client @param {{ liveUntil(): number | null }} shell
 */
export function staleBar(client, shell) {
  const ends = bag();
  const element = h('div', { class: 'stale', hidden: true });
  const paint = () => {
    const connection = client.connection.get();
    const since = shell.liveUntil();
    show(element, connection.phase !== 'online' && since !== null);
    if (since === null) return;
    const { title, detail } = connectionText(connection, Date.now());
    text(element, `${[title, detail].filter(Boolean).join(': ')}. You see what was known ${span(Date.now() - since)} ago.`);
  };
  ends.add(watch(client.connection, paint), everySecond(paint));
  return { element, end: ends.end };
}
