import { attribute, h, text, watch } from '../dom.js';
import { ripple } from './avatar.js';

const NAMED = 3;

/** Who writes at the moment. Its line is always there, so that nothing moves when somebody begins. @param {any} client @param {string} conversationId */
export function typingLine(client, conversationId) {
  const words = h('span');
  const element = h('div', { class: 'typing', 'data-testid': 'typing-line', 'aria-live': 'off' }, ripple(), words);
  const end = watch(client.typing(conversationId), ({ rows }) => {
    const names = rows.slice(0, NAMED).map((/** @type {any} */ { memberId, name }) => client.entity('member', memberId).get()?.name ?? name ?? 'Somebody');
    const more = rows.length - names.length;
    const all = more > 0 ? [...names, `${more} more`] : names;
    const list = all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : (all[0] ?? '');
    attribute(element, 'data-count', rows.length || null);
    text(words, list && `${list} ${all.length > 1 ? 'are' : 'is'} writing`);
  });
  return { element, end };
}
