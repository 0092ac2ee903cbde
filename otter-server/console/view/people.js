import { attribute, h, keyed, show, text, watch } from '../dom.js';
import { age } from '../seconds.js';
import { avatar } from './avatar.js';
import { place } from './menu.js';

const FACES = 4;

/** Who is here: faces in the bar, and everybody of the org behind them. @param {any} client */
export function people(client) {
  const faces = h('span', { class: 'faces' });
  const more = h('span', { class: 'faces-more', hidden: true });
  const button = h('button', { type: 'button', class: 'people', 'data-testid': 'people', 'aria-haspopup': 'dialog', onclick: () => openList(client, button) }, faces, more);
  const rows = keyed(faces, (id) => face(client, id));
  watch(client.presence(), ({ rows: present }) => {
    const me = client.self.get()?.id;
    const others = present.filter((/** @type {any} */ { memberId }) => memberId !== me);
    rows.set(others.slice(0, FACES).map((/** @type {any} */ person) => ({ key: person.memberId, item: person })));
    show(more, others.length > FACES);
    text(more, `+${others.length - FACES}`);
    show(button, others.length > 0);
    const names = others.map((/** @type {any} */ { name, memberId }) => name ?? memberId);
    attribute(button, 'aria-label', `Here now: ${names.join(', ')}`);
    button.title = `Here now: ${names.join(', ')}`;
  });
  return button;
}

/** @param {any} client @param {string} id */
function face(client, id) {
  const picture = avatar();
  const element = h('span', { class: 'face', 'data-testid': 'presence-member', 'data-member-id': id }, picture.element);
  return {
    element,
    /** @param {any} person */
    update: (person) => picture.set(id, person.name ?? client.entity('member', id).get()?.name ?? id),
  };
}

/** @param {any} client @param {any} button */
function openList(client, button) {
  const list = h('ul', { class: 'people-list' });
  const element = h('div', { class: 'menu people-menu', popover: 'auto', role: 'dialog', 'aria-label': 'People', tabIndex: -1, ontoggle: onToggle }, h('div', { class: 'menu-heading' }, 'People'), list);
  const rows = keyed(list, (id) => personRow(client, id));
  const paint = () => {
    const present = new Map(client.presence().get().rows.map((/** @type {any} */ each) => [each.memberId, each]));
    const ids = [...new Set([...present.keys(), ...client.list('member', { order: 'name' }).get().ids])];
    rows.set(ids.map((id) => ({ key: id, item: present.get(id) })));
  };
  const ends = [client.presence().subscribe(paint), watch(client.list('member', { order: 'name' }), paint)];

  /** @param {any} event */
  function onToggle(event) {
    if (event.newState !== 'closed') return;
    ends.forEach((end) => end());
    rows.end();
    element.remove();
    button.focus();
  }

  document.body.append(element);
  element.showPopover();
  place(element, button.getBoundingClientRect());
  element.focus();
}

/** @param {any} client @param {string} id */
function personRow(client, id) {
  const picture = avatar();
  const name = h('span', { class: 'person-name' });
  const state = h('span', { class: 'person-state' });
  const since = h('time', { class: 'age' });
  const element = h('li', { class: 'person' }, picture.element, h('span', { class: 'person-words' }, name, h('span', {}, state, ' ', since)));
  return {
    element,
    /** @param {any} present */
    update(present) {
      const member = client.entity('member', id).get();
      picture.set(id, member?.name ?? present?.name ?? id);
      text(name, `${member?.name ?? present?.name ?? id}${client.self.get()?.id === id ? ' (you)' : ''}`);
      text(state, [member?.role, present ? 'here for' : 'not here'].filter(Boolean).join(' · '));
      age(since, present?.since, 'for');
      attribute(element, 'data-here', Boolean(present));
    },
  };
}
