import { h, show, text, watch } from '../dom.js';
import { reasonText, sentence } from '../words.js';

const MARK = new URL('../otter.svg', import.meta.url).href;

/**
 * What is shown over the console while the hub does not know who is here, or this page cannot go on.
 *
 * @param {any} client @param {any} shell what cannot be used meanwhile
 */
export function gate(client, shell) {
  const title = h('h1', { id: 'gate-title' });
  const why = h('p', { class: 'why' });
  const steps = h('div', { class: 'steps' });
  const element = h('div', { class: 'gate', hidden: true, role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'gate-title', 'data-testid': 'gate' }, h('div', { class: 'gate-card' }, h('img', { src: MARK, alt: '' }), title, why, steps));
  let phase = '';
  watch(client.connection, (connection) => {
    const shut = connection.phase === 'signedOut' || connection.phase === 'stopped';
    show(element, shut);
    shell.inert = shut;
    text(why, sentence(reasonText(connection.reason)));
    if (!shut || connection.phase === phase) return;
    phase = connection.phase;
    text(title, phase === 'signedOut' ? 'You are signed out' : 'This page has to be loaded again');
    steps.replaceChildren(...(phase === 'signedOut' ? signIn() : [reload('Reload')]));
    steps.querySelector('button').focus();
  });
  return element;
}

const reload = (/** @type {string} */ words) => h('button', { type: 'button', class: 'primary', onclick: () => location.reload() }, words);

function signIn() {
  const step = (/** @type {string} */ words, /** @type {string} */ command) => h('li', {}, words, h('code', { tabIndex: 0 }, command));
  return [
    h('p', {}, 'A link signs you in. Whoever runs the hub makes one; open it in this browser:'),
    h('ul', {},
      step('On a fresh hub, the setup link that is printed at its start by', 'otter-server'),
      step('When you were here before, one that signs you in again:', 'otter-server link --member NAME'),
      step('For somebody new, an invitation:', 'otter-server invite --name NAME')),
    h('p', { class: 'hint' }, 'Your drafts, and what waits to be sent, stay in this browser.'),
    reload('I opened my link'),
  ];
}
