import { announce } from '../announce.js';
import { ask } from '../ask.js';
import { arrange, attribute, choose, h, show, text, watch } from '../dom.js';
import { mayWrite, subjectOf } from '../model.js';
import { glide, isCalm, places } from '../motion.js';
import { COLUMNS, columnOf, isHanded, isPeoples } from '../task-words.js';
import { openMenu } from './menu.js';
import { olderRows } from './older.js';
import { page } from './page.js';
import { taskCard } from './task-card.js';
import { newTask, openTask } from './task-dialog.js';

const NOTHING = { todo: 'Nothing to do.', inProgress: 'Nobody works.', review: 'Nothing waits for a look.', done: 'Nothing done yet.', failed: 'Nothing went wrong.' };
/** Cards whose movement can be followed, and measured in no time. */
const FEW = 300;
const ENDED_BADLY = new Set(['failed', 'rejected', 'expired', 'outcomeUnknown', 'cancelled']);

/**
 * The board. Tasks of a gateway move by themselves; those of people are moved, changed and handed to agents.
 *
 * @param {any} client @param {ReturnType<import('../route.js').createRoute>} route @param {any} shell
 */
export function tasksPage(client, route, shell) {
  const store = client.tasks();
  const commands = client.list('command', { order: 'issuedAt' });
  const columns = COLUMNS.map(([name, words]) => column(name, words, (id) => moveTo(id, name)));
  const tabs = columnTabs((name) => attribute(board, 'data-shown', name));
  const board = h('div', { class: 'board', 'data-shown': 'todo' }, ...columns.map((each) => each.element));
  const older = olderRows(() => store.get());
  const create = h('button', { type: 'button', class: 'primary', 'data-testid': 'task-new', 'data-new': '', title: 'New task (n)', onclick: () => route.go('tasks', 'new') }, 'New task');
  const frame = page(client, shell, { name: 'tasks', title: 'Tasks', actions: [create], below: [tabs.element] }, board, older.element);
  /** @type {Map<string, ReturnType<typeof taskCard>>} */
  const cards = new Map();
  /** @type {Set<string>} tasks that move before somebody's eyes */
  const moved = new Set();
  /** @type {any} */
  let dialog = null;
  let wanted = /** @type {string | null} */ (null);

  const taskOf = (/** @type {string} */ id) => client.entity('task', id).get();
  const mayMove = (/** @type {any} */ task) => isPeoples(task) && mayWrite(client);
  const acts = { open: (/** @type {string} */ id) => route.go('tasks', id), menu, key, mayMove };

  function paint() {
    const { rows, loading } = store.get();
    const before = places(isCalm() || cards.size > FEW ? [] : [...cards.values()].map(({ element }) => element));
    const dispatches = howDispatchesGo(client, commands);
    for (const [id] of cards) if (!rows.some((/** @type {any} */ task) => task.id === id)) cards.delete(id);
    for (const each of columns) {
      const tasks = inColumn(rows, each.name);
      each.set(tasks.map((task) => card(task, dispatches)), loading);
      tabs.count(each.name, tasks.length);
    }
    show(create, mayWrite(client));
    frame.note(loading && rows.length === 0 ? 'Looking at the board…' : '');
    older.paint();
    if (wanted && !dialog) openWanted();
    // Events come after the state: only then is it known who moved before our eyes and who was moved meanwhile.
    queueMicrotask(() => animate(before));
  }

  /** @param {any} task @param {any} dispatches */
  function card(task, dispatches) {
    let view = cards.get(task.id);
    if (!view) cards.set(task.id, (view = taskCard(client, task.id, acts)));
    view.update(task, { failed: dispatches.failed.get(task.id), pending: dispatches.pending.get(task.id) });
    return view.element;
  }

  /** @param {Map<Element, DOMRect>} before */
  function animate(before) {
    if (moved.size > 0 && !isCalm()) {
      for (const [element, was] of before) glide(element, was);
      for (const id of moved) {
        const view = cards.get(id);
        if (view && !before.has(view.element)) view.element.animate([{ opacity: 0, transform: 'translateY(-10px)' }, {}], 260);
      }
    }
    moved.clear();
  }

  /** @param {string} id @param {string} name a column */
  function moveTo(id, name) {
    const task = taskOf(id);
    const [, words, , status] = COLUMNS.find(([each]) => each === name) ?? COLUMNS[0];
    if (!task || !mayMove(task) || columnOf(task) === name) return;
    moved.add(id);
    ask(client, 'task.update', { taskId: id, status });
    announce(`${task.title}: ${words}`);
  }

  /** @param {string} id @param {any} anchor @param {any} [at] */
  function menu(id, anchor, at) {
    const task = taskOf(id);
    if (!task) return;
    const move = mayMove(task) ? COLUMNS.map(([name, words]) => ({ label: words, checked: columnOf(task) === name, run: () => moveTo(id, name) })) : [];
    openMenu(anchor, [
      { label: 'Open', run: () => acts.open(id) },
      ...(mayMove(task) && !isHanded(task) ? [{ label: 'Hand it to an agent…', hint: 'd', run: () => open(id, true) }] : []),
      ...(task.conversationId ? [{ label: 'Go to its conversation', run: () => route.open(task.conversationId) }] : []),
      ...(move.length > 0 ? [null, { heading: true, label: 'Where it is' }, ...move] : []),
    ], at);
  }

  /** @param {string} id @param {KeyboardEvent} event @param {any} element */
  function key(id, event, element) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const task = taskOf(id);
    if (step && event.shiftKey) shift(task, step, element);
    else if (step) sideways(element, step);
    else if (event.key === 'Enter') acts.open(id);
    else if (event.key === 'd' && mayMove(task)) open(id, true);
    else return;
    event.preventDefault();
  }

  /** @param {any} task @param {number} step @param {any} element */
  function shift(task, step, element) {
    const next = COLUMNS[COLUMNS.findIndex(([name]) => name === columnOf(task)) + step]?.[0];
    if (!next) return;
    moveTo(task.id, next);
    attribute(board, 'data-shown', mayMove(task) ? next : board.dataset.shown);
    tabs.choose(board.dataset.shown);
    element.focus();
  }

  /** @param {any} element @param {number} step */
  function sideways(element, step) {
    const lists = [...board.querySelectorAll('[data-walk]')];
    const now = lists.findIndex((list) => list.contains(element));
    const row = [...lists[now].children].indexOf(element);
    for (let at = now + step; lists[at]; at += step) {
      const rows = lists[at].querySelectorAll('[data-walk-row]');
      if (rows.length > 0) return rows[Math.min(row, rows.length - 1)].focus();
    }
  }

  /** @param {string} id @param {boolean} [dispatch] */
  function open(id, dispatch) {
    dialog = openTask(client, id, { moving: (each) => moved.add(each), dispatch, onclose: closed });
  }

  function closed() {
    dialog = null;
    // A link in the dialog may have led to another page: nobody is called back from there.
    const here = wanted && route.place().page === 'tasks';
    wanted = null;
    if (here) route.replace(null, 'tasks');
  }

  function openWanted() {
    if (wanted === 'new') dialog = mayWrite(client) && newTask(client, { made: (id) => moved.add(id), onclose: closed });
    else if (wanted && taskOf(wanted)) open(wanted);
  }

  const live = (/** @type {any} */ event, /** @type {any} */ { replayed }) => void (!replayed && moved.add(subjectOf(event, 'task')));
  frame.ends.add(client.on('task.upserted', live), client.on('task.dispatched', live), watch(store, paint), commands.subscribe(paint), client.commands().subscribe(paint),
    client.list('agent').subscribe(paint), client.list('instance').subscribe(paint), client.self.subscribe(paint), older.end, () => dialog?.close?.());
  tabs.choose('todo');
  return {
    ...frame,
    /** @param {string | null} id */
    show(id) {
      wanted = id;
      if (!id) dialog?.close?.();
      else if (!dialog) openWanted();
    },
  };
}

/** @param {any[]} rows @param {string} name */
function inColumn(rows, name) {
  const tasks = rows.filter((task) => columnOf(task) === name);
  const ended = name === 'done' || name === 'failed';
  return ended ? tasks.sort((a, b) => String(b.endedAt ?? b.createdAt ?? '').localeCompare(String(a.endedAt ?? a.createdAt ?? ''))) : tasks;
}

/** By task: the newest hand-over that failed, and the one of this page that is on its way. @param {any} client @param {any} commands */
function howDispatchesGo(client, commands) {
  const failed = new Map();
  for (const id of commands.get().ids) {
    const { kind, entity, stage, error } = client.entity('command', id).get() ?? {};
    if (kind !== 'task.dispatch' || !entity) continue;
    const task = entity.slice('task/'.length);
    if (ENDED_BADLY.has(stage)) failed.set(task, { stage, error });
    else failed.delete(task);
  }
  const waiting = client.commands().get().filter((/** @type {any} */ { kind, state }) => kind === 'task.dispatch' && (state === 'held' || state === 'sent'));
  return { failed, pending: new Map(waiting.map((/** @type {any} */ each) => [each.data.taskId, each])) };
}

/** @param {keyof typeof NOTHING} name @param {string} words @param {(id: string) => void} drop */
function column(name, words, drop) {
  const count = h('span', { class: 'count' });
  const list = h('div', { class: 'column-list', 'data-walk': '' });
  const nothing = h('p', { class: 'hint' });
  const element = h('section', { class: 'column', 'data-testid': 'task-column', 'data-column': name, 'aria-label': words, ondragover: over, ondragleave: leave, ondrop },
    h('h2', { class: 'column-head' }, words, count), list, nothing);

  /** @param {DragEvent} event */
  function over(event) {
    if (!event.dataTransfer?.types.includes('text/x-otter-task')) return;
    event.preventDefault();
    attribute(element, 'data-over', '');
  }

  /** @param {any} event */
  function leave(event) {
    if (!element.contains(event.relatedTarget)) attribute(element, 'data-over', null);
  }

  /** @param {DragEvent} event */
  function ondrop(event) {
    event.preventDefault();
    attribute(element, 'data-over', null);
    drop(event.dataTransfer?.getData('text/x-otter-task') ?? '');
  }

  return {
    name,
    element,
    /** @param {any[]} elements @param {boolean} loading */
    set(elements, loading) {
      arrange(list, elements);
      text(count, elements.length > 0 ? String(elements.length) : '');
      show(nothing, elements.length === 0);
      text(nothing, loading ? 'Loading…' : NOTHING[name]);
    },
  };
}

/** On a phone the columns are shown one at a time. @param {(name: string) => void} chosen */
function columnTabs(chosen) {
  const tabs = COLUMNS.map(([name, words]) => {
    const count = h('span', { class: 'chip-count' });
    return { name, count, element: h('button', { type: 'button', class: 'chip', 'data-column': name, 'aria-pressed': 'false', onclick: () => show(name) }, name === 'failed' ? 'Ended' : words, count) };
  });

  /** @param {string} name */
  function show(name) {
    for (const tab of tabs) choose(tab.element, 'aria-pressed', String(tab.name === name));
    chosen(name);
  }

  return {
    element: h('div', { class: 'chips column-tabs', role: 'group', 'aria-label': 'Columns' }, ...tabs.map((tab) => tab.element)),
    choose: show,
    /** @param {string} name @param {number} rows */
    count: (name, rows) => text(/** @type {any} */ (tabs.find((tab) => tab.name === name)).count, rows > 0 ? String(rows) : ''),
  };
}
