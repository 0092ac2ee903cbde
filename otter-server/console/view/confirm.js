import { h } from '../dom.js';
import { openDialog } from './dialog.js';

/**
 * Asks once more before something that cannot be taken back.
 *
 * @param {{ title: string, name: string, words: string, action: string, done(): void }} what
 */
export function confirm({ title, name, words, action, done }) {
  const no = h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, 'Cancel');
  const yes = h('button', { type: 'button', class: 'primary danger', 'data-testid': `${name}-confirm`, onclick: () => (dialog.close(), done()) }, action);
  const dialog = openDialog({ title, name }, h('div', { class: 'dialog-body' }, h('p', {}, words), h('div', { class: 'dialog-foot' }, no, yes)));
  no.focus();
}
