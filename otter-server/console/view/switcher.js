import { attribute, h, text } from '../dom.js';
import { agentOf, instanceName, mainConversation, titleOf } from '../model.js';
import { avatar } from './avatar.js';
import { openDialog } from './dialog.js';
import { NAV } from './nav.js';

const SHOWN = 40;

/**
 * Finds a conversation, an agent or a page by some letters of it, and goes there.
 *
 * @param {any} client @param {ReturnType<import('../route.js').createRoute>} route
 */
export function switcher(client, route) {
  const targets = [...conversations(client, route), ...agents(client, route), ...pages(route)];
  const list = h('div', { class: 'switcher-list', role: 'listbox', id: 'switcher-list', 'aria-label': 'Places' });
  const input = h('input', {
    type: 'text', class: 'switcher-input', placeholder: 'Go to a conversation, an agent, a page', role: 'combobox', 'aria-label': 'Go to',
    'aria-expanded': 'true', 'aria-controls': 'switcher-list', autocomplete: 'off', spellcheck: false, oninput: paint, onkeydown: onKey,
  });
  const none = h('p', { class: 'hint', role: 'status' });
  const dialog = openDialog({ title: 'Go to', name: 'switcher', bare: true }, input, list, none);
  /** @type {any[]} */
  let shown = [];
  let chosen = 0;

  function paint() {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const hits = targets.map((target) => ({ target, rank: rank(target, words) })).filter((hit) => hit.rank < Infinity);
    shown = hits.sort((a, b) => a.rank - b.rank).slice(0, SHOWN).map(({ target }) => target);
    list.replaceChildren(...shown.map(option));
    text(none, shown.length === 0 ? 'Nothing is called so.' : '');
    choose(0);
  }

  /** @param {any} target @param {number} at */
  function option({ kind, id, name, detail, icon }, at) {
    const face = avatar();
    face.set(id, icon ?? name);
    attribute(face.element, 'data-kind', kind);
    return h('div', { class: 'switcher-option', role: 'option', id: `switcher-${at}`, 'data-testid': 'switcher-option', 'data-kind': kind, onclick: () => go(at), onpointermove: () => at !== chosen && choose(at) },
      face.element, h('span', { class: 'switcher-name' }, name), h('span', { class: 'switcher-detail' }, detail));
  }

  /** @param {number} at */
  function choose(at) {
    chosen = Math.max(0, Math.min(at, shown.length - 1));
    [...list.children].forEach((each, index) => attribute(each, 'aria-selected', String(index === chosen)));
    attribute(input, 'aria-activedescendant', shown.length > 0 ? `switcher-${chosen}` : null);
    list.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {number} at */
  function go(at) {
    const target = shown[at];
    dialog.close();
    target?.go();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const step = event.key === 'ArrowDown' || (event.ctrlKey && event.key === 'n') ? 1 : event.key === 'ArrowUp' || (event.ctrlKey && event.key === 'p') ? -1 : 0;
    if (step) choose((chosen + step + shown.length) % Math.max(1, shown.length));
    else if (event.key === 'Enter') go(chosen);
    else return;
    event.preventDefault();
  }

  paint();
  input.focus();
}

/** Where the letters are found: the start of the name counts more than the middle, the name more than the rest. @param {any} target @param {string[]} words */
function rank({ name, detail, order }, words) {
  const [title, rest] = [name.toLowerCase(), detail.toLowerCase()];
  let sum = order;
  for (const word of words) {
    const at = title.indexOf(word);
    if (at >= 0) sum += at === 0 || title[at - 1] === ' ' ? 0 : 10;
    else if (rest.includes(word)) sum += 40;
    else return Infinity;
  }
  return sum;
}

/** @param {any} client @param {any} route */
function conversations(client, route) {
  return client.list('conversation', { order: '-lastMessage.sentAt' }).get().ids.map((/** @type {string} */ id, /** @type {number} */ at) => {
    const conversation = client.entity('conversation', id).get();
    const agent = agentOf(client, conversation)?.name ?? '';
    const detail = [agent, instanceName(client, conversation.instanceId), conversation.archived && 'archived'].filter(Boolean).join(' · ');
    return { kind: 'conversation', id: conversation.agentId, name: titleOf(client, conversation), icon: agent, detail, order: Math.min(at, 900) / 1000, go: () => route.open(id) };
  });
}

/** @param {any} client @param {any} route */
function agents(client, route) {
  return client.list('agent', { order: 'name' }).get().ids.flatMap((/** @type {string} */ id) => {
    const agent = client.entity('agent', id).get();
    const conversation = mainConversation(client, id);
    return conversation ? [{ kind: 'agent', id, name: agent.name ?? id, detail: `agent on ${instanceName(client, agent.instanceId)}`, order: 2, go: () => route.open(conversation) }] : [];
  });
}

/** @param {any} route */
const pages = (route) => NAV.map(([page, name, key]) => ({ kind: 'page', id: page, name, detail: `page · g ${key}`, order: 1, go: () => route.go(page) }));
