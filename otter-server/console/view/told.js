import { announce } from '../announce.js';
import { authorOf, isSelf } from '../model.js';

const HEARD = 400;

/**
 * Tells a screen reader what is said while it is here: each message once, an answer when it is whole.
 *
 * @param {any} client @param {string} conversationId
 */
export function createTold(client, conversationId) {
  /** @type {string | null} the newest message that needs no telling */
  let last = null;
  let begun = false;
  return {
    /** @param {readonly any[]} rows @param {boolean} live */
    hear(rows, live) {
      const whole = rows.filter(({ local, status }) => !local && status !== 'streaming');
      if (!live) return;
      const since = last === null ? -1 : whole.findLastIndex(({ id }) => id === last);
      const news = begun && since >= 0 ? whole.slice(since + 1) : begun && last === null ? whole : [];
      begun = true;
      last = whole.at(-1)?.id ?? null;
      const heard = news.filter(({ author, internal }) => !internal && !isSelf(client, author));
      if (heard.length === 0) return;
      const { author, text } = heard[heard.length - 1];
      const { name } = authorOf(client, author, client.entity('conversation', conversationId).get());
      announce(`${name}: ${text.slice(0, HEARD)}`);
    },
  };
}
