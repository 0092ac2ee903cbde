import { h } from '../dom.js';

/**
 * What a person approves is what they see: characters that show nothing, turn the direction of a line or look like a
 * plain space are written out.
 */
const UNSEEN = /([\u0000-\u0009\u000b-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\u{e0000}-\u{e0fff}]+)/u;

const NAMES = /** @type {Record<string, string>} */ ({ '\t': 'tab', '\r': 'return', '\u001b': 'esc', '\u00a0': 'hard space' });

/** @param {string} char */
const nameOf = (char) => NAMES[char] ?? `U+${/** @type {number} */ (char.codePointAt(0)).toString(16).toUpperCase().padStart(4, '0')}`;

/** A text as nodes, with nothing hidden in it. @param {string} source @returns {(Node | string)[]} */
export function inPlainSight(source) {
  return source.split(UNSEEN)
    .flatMap((part, at) => (at % 2 ? [...part].map((char) => h('span', { class: 'unseen-char', title: 'A character that would not be seen' }, nameOf(char))) : part))
    .filter((part) => part !== '');
}

/** How long a text is, in words for people. @param {string} source */
export function lengthOf(source) {
  const lines = source.split('\n').length;
  return lines > 1 ? `${lines} lines` : `${[...source].length} characters`;
}
