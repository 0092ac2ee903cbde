import { conversationsOf, instanceName, titleOf } from './model.js';

/** The columns of the board: name, words, the states in it, the state that a task gets when somebody moves it there. */
export const COLUMNS = /** @type {const} */ ([
  ['todo', 'To do', ['todo'], 'todo'],
  ['inProgress', 'In progress', ['queued', 'inProgress'], 'inProgress'],
  ['review', 'Review', ['review'], 'review'],
  ['done', 'Done', ['done'], 'done'],
  ['failed', 'Failed or cancelled', ['failed', 'cancelled'], 'cancelled'],
]);

export const STATUS = /** @type {Record<string, string>} */ ({
  todo: 'To do', queued: 'Queued', inProgress: 'In progress', review: 'In review', done: 'Done', failed: 'Failed', cancelled: 'Cancelled',
});

const KINDS = /** @type {Record<string, string>} */ ({ subagent: 'sub-agent', cron: 'scheduled', cli: 'command line' });

/** @param {any} task @returns {string} a column */
export const columnOf = (task) => COLUMNS.find(([, , states]) => /** @type {readonly string[]} */ (states).includes(task.status))?.[0] ?? 'todo';

/** People's tasks are moved by people; those of a gateway move by themselves. @param {any} task */
export const isPeoples = (task) => task.id.startsWith('hub:');

/** Whether an agent has it. @param {any} task */
export const isHanded = (task) => task.status === 'queued' || task.status === 'inProgress';

/** Where a task comes from. @param {any} task */
export function origin(task) {
  if (task.by?.name) return `by ${task.by.name}`;
  if (task.origin === 'gateway') return KINDS[task.taskKind] ?? task.taskKind ?? 'by the gateway';
  return task.origin === 'integrator' ? 'by an integrator' : '';
}

/** What its age says: a word and an instant. @param {any} task @returns {[string, string | undefined, 'ago' | 'for' | 'clock']} */
export function aged(task) {
  if (task.status === 'queued') return ['waits for', task.dispatchedAt ?? task.createdAt, 'for'];
  if (task.status === 'inProgress') return ['', task.startedAt ?? task.dispatchedAt ?? task.createdAt, 'clock'];
  if (task.status === 'todo') return ['', task.createdAt, 'ago'];
  return ['', task.endedAt ?? task.startedAt ?? task.createdAt, 'ago'];
}

/** What an agent is told when nobody says something else. @param {any} task */
export const wordsFor = (task) => [task.title, task.description].filter(Boolean).join('\n\n');

/** Conversations a task can be handed to, those of its agent first. @param {any} client @param {any} task */
export function targets(client, task) {
  const all = conversationsOf(client).filter(({ archived }) => !archived);
  const first = all.filter(({ agentId }) => task.agentId && agentId === task.agentId);
  const rest = all.filter((each) => !first.includes(each));
  return [...first, ...rest].slice(0, 200).map((each) => {
    const agent = client.entity('agent', each.agentId).get()?.name;
    const instance = client.entity('instance', each.instanceId).get();
    const away = instance?.connection === 'online' ? '' : ', offline';
    const title = titleOf(client, each);
    return { id: each.id, label: `${title === agent ? '' : `${title} · `}${agent ?? 'agent'} on ${instanceName(client, each.instanceId)}${away}` };
  });
}
