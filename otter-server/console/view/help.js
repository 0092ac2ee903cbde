import { h } from '../dom.js';
import { openDialog } from './dialog.js';
import { NAV } from './nav.js';

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl';

/** What the keys do, by place. @type {[string, [string[], string][]][]} */
const KEYS = [
  ['Everywhere', [
    [[`${MOD} K`, '/'], 'go to a conversation, an agent or a page'],
    ...NAV.map(([, name, key]) => /** @type {[string[], string]} */ ([[`g ${key}`], name === 'Chats' ? 'conversations' : name.toLowerCase()])),
    [['?'], 'this list'],
  ]],
  ['In a list', [
    [['j', 'k'], 'next and previous row'],
    [['Enter'], 'open it'],
    [['f'], 'filter the list'],
    [['Menu', 'Shift F10'], 'what can be done with the row'],
  ]],
  ['Conversations', [
    [['Enter'], 'send'],
    [['Shift Enter'], 'new line'],
    [['Esc Esc'], 'stop what is going on'],
    [['Alt ↑', 'Alt ↓'], 'previous and next conversation'],
  ]],
  ['An approval', [
    [['a'], 'allow it once'],
    [['d'], 'deny it'],
  ]],
  ['Feed', [
    [['Enter'], 'unfold the item'],
    [['o'], 'open its link'],
    [['r'], 'mark it read'],
    [['e'], 'archive it for everyone'],
  ]],
  ['Tasks', [
    [['n'], 'new task'],
    [['←', '→'], 'next column'],
    [['Shift ←', 'Shift →'], 'move the task'],
    [['d'], 'hand it to an agent'],
  ]],
];

/** Shows what the keys do. */
export function help() {
  const line = (/** @type {[string[], string]} */ [keys, words]) => h('div', {}, h('dt', {}, ...keys.flatMap((key, at) => [at > 0 ? ' or ' : '', h('kbd', {}, key)])), h('dd', {}, words));
  openDialog({ title: 'Keyboard', name: 'help' },
    h('div', { class: 'help' }, ...KEYS.map(([place, lines]) => h('section', {}, h('h3', {}, place), h('dl', {}, ...lines.map(line))))));
}
