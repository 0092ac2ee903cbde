import { ask } from '../ask.js';
import { attribute, bag, h, show, text, watch } from '../dom.js';
import { LIMITS } from '../limits.js';
import { instanceName, mayWrite, titleOf } from '../model.js';
import { link } from '../route.js';
import { age } from '../seconds.js';
import { COLUMNS, STATUS, isHanded, isPeoples, origin, targets, wordsFor } from '../task-words.js';
import { openDialog } from './dialog.js';
import { createFollowing, field, limitedField } from './field.js';

/** Writes a task down. @param {any} client @param {{ made(id: string): void, onclose(): void }} then */
export function newTask(client, { made, onclose }) {
  const form = fields(client);
  const submit = h('button', { type: 'submit', class: 'primary', 'data-testid': 'task-save' }, 'Write it down');
  const body = h('form', { class: 'dialog-body', onsubmit: save }, ...form.elements, h('div', { class: 'dialog-foot' }, submit));
  const dialog = openDialog({ title: 'New task', name: 'task', onclose }, body);
  form.inputs.title.focus();

  /** @param {Event} event */
  function save(event) {
    event.preventDefault();
    const { title, description, agentId } = form.read();
    if (!title) return form.inputs.title.focus();
    const handle = ask(client, 'task.create', { title, ...(description && { description }), ...(agentId && { agentId }) });
    made(`hub:${handle.id}`);
    dialog.close();
  }
  return dialog;
}

/**
 * One task with all that is known of it: changed here when a person made it, and handed to an agent.
 *
 * @param {any} client @param {string} id @param {{ onclose(): void, moving(id: string): void, dispatch?: boolean }} board
 */
export function openTask(client, id, { onclose, moving, dispatch = false }) {
  const ends = bag();
  const task = client.entity('task', id).get();
  const facts = taskFacts(client);
  const summary = h('div', { class: 'task-said', hidden: true });
  const editable = isPeoples(task) && mayWrite(client);
  const forms = editable ? [editor(client, id, moving), handOver(client, id, moving)] : [];
  const parts = [facts.element, summary, ...(editable ? forms.map(({ element }) => element) : [readOnly(task)])];
  const dialog = openDialog({ title: task.title, name: 'task', onclose: () => (ends.end(), onclose()) }, h('div', { class: 'dialog-body' }, ...parts));
  attribute(dialog.element, 'data-task-id', id);
  const heading = dialog.element.querySelector('h2');
  ends.add(watch(client.entity('task', id), (now) => {
    if (!now) return dialog.close();
    text(heading, now.title);
    facts.set(now);
    text(summary, now.summary ?? '');
    show(summary, Boolean(now.summary));
    for (const form of forms) form.set(now);
  }));
  if (dispatch) forms.at(-1)?.focus();
  return dialog;
}

/** Title, details, agent. @param {any} client */
function fields(client) {
  const title = h('input', { type: 'text', class: 'text-input', required: true, 'data-testid': 'task-title' });
  const description = h('textarea', { class: 'text-input', rows: 3, 'data-testid': 'task-description' });
  const agents = client.list('agent', { order: 'name' }).get().ids.map((/** @type {string} */ id) => client.entity('agent', id).get());
  const agentId = h('select', { class: 'text-input', 'data-testid': 'task-agent' }, h('option', { value: '' }, 'Nobody yet'),
    ...agents.map((/** @type {any} */ each) => h('option', { value: each.id }, `${each.name} on ${instanceName(client, each.instanceId)}`)));
  return {
    inputs: { title, description, agentId },
    elements: [limitedField('What is to be done', title, LIMITS.taskTitle), limitedField('Details', description, LIMITS.details), field('Who shall do it', agentId)],
    read: () => ({ title: title.value.trim(), description: description.value.trim(), agentId: agentId.value }),
  };
}

/** @param {any} client @param {string} id @param {(id: string) => void} moving */
function editor(client, id, moving) {
  const form = fields(client);
  const status = h('select', { class: 'text-input', 'data-testid': 'task-status' });
  const submit = h('button', { type: 'submit', class: 'plain', 'data-testid': 'task-save', disabled: true }, 'Save');
  const element = h('form', { class: 'task-form', onsubmit: save, oninput: paint }, ...form.elements, field('Where it is', status), h('div', { class: 'dialog-foot' }, submit));
  const following = createFollowing({ ...form.inputs, status });

  function paint() {
    submit.disabled = Object.keys(changes()).length === 0;
  }

  /** What this person wants otherwise, and nothing that changed elsewhere. */
  function changes() {
    const { title, description, agentId } = form.read();
    const now = client.entity('task', id).get() ?? {};
    const wanted = /** @type {Record<string, any>} */ ({ title: title || now.title, description: description || null, agentId: agentId || null, status: status.value });
    return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => following.isTouched(name) && (now[name] ?? null) !== value));
  }

  /** @param {Event} event */
  function save(event) {
    event.preventDefault();
    const changed = changes();
    const answered = following.ask(Object.keys(changed));
    moving(id);
    ask(client, 'task.update', { taskId: id, ...changed }).accepted.then((/** @type {any} */ { state }) => {
      answered(state !== 'refused' && state !== 'closed');
      set(client.entity('task', id).get());
    });
    submit.disabled = true;
  }

  /** @param {any} now */
  function set(now) {
    if (!now) return;
    const offered = statuses(now);
    for (const each of offered) offer(status, each, STATUS[each]);
    if (now.agentId) offer(form.inputs.agentId, now.agentId, 'An agent that is gone');
    following.follow({ title: now.title ?? '', description: now.description ?? '', agentId: now.agentId ?? '', status: now.status });
    for (const option of [...status.options]) if (!option.selected && !offered.includes(option.value)) option.remove();
    paint();
  }

  return { element, set, focus: () => form.inputs.title.focus() };
}

/** A choice that is there once. @param {any} select @param {string} value @param {string} words */
function offer(select, value, words) {
  if (![...select.options].some((option) => option.value === value)) select.append(h('option', { value }, words));
}

/** What a person may make of it; what an agent has stays what it is until somebody takes it back. @param {any} task */
const statuses = (task) => [...new Set([task.status, ...COLUMNS.map(([, , , status]) => status)])];

/** @param {any} task */
function readOnly(task) {
  const words = task.origin === 'gateway' ? 'Its gateway moves this task by itself.' : isPeoples(task) ? '' : 'Whoever published this task moves it.';
  return h('div', { class: 'task-said plain-words' }, ...[task.description, words].filter(Boolean).map((each) => h('p', {}, each)));
}

/** @param {any} client */
function taskFacts(client) {
  const state = h('span', { class: 'task-state' });
  const from = h('span');
  const made = h('time', { class: 'age' });
  const talk = h('a', { class: 'chip' }, '');
  const element = h('div', { class: 'task-facts' }, state, from, made, h('span', { class: 'spacer' }), talk);
  return {
    element,
    /** @param {any} task */
    set(task) {
      attribute(element, 'data-status', task.status);
      text(state, STATUS[task.status] ?? task.status);
      text(from, origin(task));
      age(made, task.createdAt);
      const conversation = task.conversationId && client.entity('conversation', task.conversationId).get();
      show(talk, Boolean(task.conversationId));
      text(talk, conversation ? `Open “${titleOf(client, conversation).slice(0, 40)}”` : 'Open its conversation');
      if (task.conversationId) attribute(talk, 'href', link('conversations', task.conversationId));
    },
  };
}

/** Hands a task to the agent of a conversation, in words that can be changed. @param {any} client @param {string} id @param {(id: string) => void} moving */
function handOver(client, id, moving) {
  const task = client.entity('task', id).get();
  const options = targets(client, task);
  const target = h('select', { class: 'text-input', 'data-testid': 'dispatch-conversation' }, ...options.map(({ id: value, label }) => h('option', { value }, label)));
  const words = h('textarea', { class: 'text-input', rows: 3, 'data-testid': 'dispatch-text' });
  const button = h('button', { type: 'submit', class: 'primary', 'data-testid': 'dispatch' }, 'Hand it over');
  const hint = h('p', { class: 'field-hint' });
  const element = h('form', { class: 'task-hand', onsubmit: hand }, h('h3', {}, 'Hand it to an agent'), field('Where', target),
    limitedField('What to say', words, LIMITS.said), h('div', { class: 'dialog-foot' }, hint, button));
  const following = createFollowing({ target, words });
  /** Whom the conversation was chosen for. */
  let { agentId } = task;
  following.follow({ target: target.value });

  /** @param {Event} event */
  function hand(event) {
    event.preventDefault();
    const said = words.value.trim();
    moving(id);
    ask(client, 'task.dispatch', { taskId: id, conversationId: target.value, ...(said && said !== wordsFor(client.entity('task', id).get() ?? {}) && { text: said }) });
  }

  return {
    element,
    focus: () => target.focus(),
    /** @param {any} now */
    set(now) {
      const handed = isHanded(now);
      following.follow({ words: wordsFor(now) });
      if (now.agentId !== agentId) choose(now);
      button.disabled = handed || options.length === 0;
      text(hint, handed ? 'An agent has it.' : options.length === 0 ? 'There is no conversation yet: connect a machine first.' : 'It begins when the agent is idle.');
    },
  };

  /** @param {any} now */
  function choose(now) {
    agentId = now.agentId;
    const [first] = targets(client, now);
    if (!first) return;
    offer(target, first.id, first.label);
    following.follow({ target: first.id });
  }
}
