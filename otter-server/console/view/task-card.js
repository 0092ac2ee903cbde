import { attribute, h, icon, show, text } from '../dom.js';
import { link } from '../route.js';
import { age } from '../seconds.js';
import { STATUS, aged, isHanded, isPeoples, origin } from '../task-words.js';
import { avatar, ripple } from './avatar.js';

const DOTS = 'M5 10h.01M10 10h.01M15 10h.01';
const TALK = 'M4.500 4h11A1.500 1.500 0 0 1 17 5.500v7a1.500 1.500 0 0 1-1.500 1.500H10l-4 3v-3H4.500A1.500 1.500 0 0 1 3 12.500v-7A1.500 1.500 0 0 1 4.500 4z';

/**
 * A task on the board.
 *
 * @param {any} client @param {string} id
 * @param {{ open(id: string): void, menu(id: string, anchor: any, at?: any): void, key(id: string, event: KeyboardEvent, element: any): void, mayMove(task: any): boolean }} board
 */
export function taskCard(client, id, board) {
  const title = h('h3', { class: 'task-title' });
  const state = h('span', { class: 'task-state' });
  const since = h('time', { class: 'age' });
  const sinceWord = h('span');
  const summary = h('p', { class: 'task-summary' });
  const trouble = h('p', { class: 'task-trouble', role: 'status' });
  const face = avatar();
  const agent = h('span', { class: 'task-agent' });
  const from = h('span', { class: 'task-from' });
  const talk = h('a', { class: 'quiet small task-talk', title: 'Its conversation' }, icon(TALK), h('span', { class: 'unseen' }, 'Its conversation'));
  const more = h('button', { type: 'button', class: 'quiet small task-more', 'aria-haspopup': 'menu', 'aria-label': 'What can be done with it', onclick: (/** @type {Event} */ event) => (event.stopPropagation(), board.menu(id, more)) }, icon(DOTS));
  const element = h('article', {
    class: 'task', tabIndex: 0, 'data-testid': 'task-card', 'data-task-id': id, 'data-walk-row': '', onclick: onClick, onkeydown: (/** @type {KeyboardEvent} */ event) => event.target === element && board.key(id, event, element), oncontextmenu: onContext,
    ondragstart: onDrag, ondragend: () => attribute(element, 'data-dragged', null),
  }, h('div', { class: 'task-head' }, state, ripple(), h('span', { class: 'spacer' }), sinceWord, since, more), title, summary, trouble,
  h('div', { class: 'task-foot' }, face.element, agent, from, h('span', { class: 'spacer' }), talk));

  /** @param {any} event */
  function onClick({ target }) {
    if (!target.closest('a, button')) board.open(id);
  }

  /** @param {any} event */
  function onContext(event) {
    event.preventDefault();
    board.menu(id, element, event.clientX ? { x: event.clientX, y: event.clientY } : undefined);
  }

  /** @param {DragEvent} event */
  function onDrag(event) {
    event.dataTransfer?.setData('text/x-otter-task', id);
    attribute(element, 'data-dragged', '');
  }

  return {
    element,
    /** @param {any} task @param {{ failed?: any, pending?: any }} dispatch how its handing over goes */
    update(task, { failed, pending }) {
      const agentName = task.agentId && client.entity('agent', task.agentId).get()?.name;
      const instance = task.instanceId && client.entity('instance', task.instanceId).get();
      attribute(element, 'data-status', task.status);
      attribute(element, 'data-stage', task.local?.stage ?? null);
      attribute(element, 'data-running', task.status === 'inProgress');
      attribute(element, 'aria-label', [task.title, STATUS[task.status], agentName].filter(Boolean).join(', '));
      element.draggable = board.mayMove(task);
      text(title, task.title ?? 'Task');
      text(state, pending ? (pending.state === 'held' ? 'Goes out when connected' : 'Handing over…') : isPeoples(task) && ['todo', 'review', 'done'].includes(task.status) ? '' : (STATUS[task.status] ?? task.status));
      const [word, at, form] = aged(task);
      text(sinceWord, word);
      age(since, at, form);
      text(summary, task.status === 'todo' ? (task.description ?? '').split('\n', 1)[0] : (task.summary ?? ''));
      const waits = task.status === 'queued' && instance && instance.connection !== 'online' && `${instance.name ?? 'Its machine'} is offline: it begins when that is back.`;
      text(trouble, task.local?.stage === 'refused' ? `Not changed: ${task.local.error?.message ?? 'refused'}` : failed && task.status === 'todo' ? `Not handed over: ${failed.error?.message ?? failed.stage}` : waits || '');
      show(face.element, Boolean(agentName));
      if (agentName) face.set(task.agentId, agentName);
      text(agent, agentName ?? '');
      text(from, [origin(task), !agentName && instance?.name].filter(Boolean).join(' on '));
      show(talk, Boolean(task.conversationId));
      if (task.conversationId) attribute(talk, 'href', link('conversations', task.conversationId));
      attribute(element, 'data-handed', isHanded(task) ? '' : null);
    },
  };
}
