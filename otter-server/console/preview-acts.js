/** What the preview's hub does with commands about conversations, the feed, tasks and machines, and what happens by itself. */

const ANSWER_MS = 160;

/**
 * @param {{ push(changes: any): void }} fake @param {any} client @param {(ms?: number) => string} at
 * @param {{ me: any, held: boolean }} who
 */
export function createActs(fake, client, at, { me, held }) {
  let seq = 5000;
  /** @type {Map<string, any>} refused commands, to be tried again */
  const refused = new Map();
  const row = (/** @type {string} */ scope, /** @type {string} */ key, /** @type {any} */ data) => [scope, key, (seq += 1), true, data];

  /** @param {string} key @param {any} patch @param {string} [scope] */
  function merge(key, patch, scope = 'org') {
    const [, type, id] = /^([^/]+)\/(.*)$/.exec(key) ?? [];
    const { id: _, local: __, ...old } = client.entity(type, id).get() ?? {};
    const merged = Object.fromEntries(Object.entries({ ...old, ...patch }).filter(([, value]) => value !== null));
    return row(scope, key, merged);
  }

  /** What each command writes. */
  const writes = /** @type {Record<string, (data: any, id: string) => any[]>} */ ({
    'conversation.update': ({ conversationId, ...data }) => [merge(`conversation/${conversationId}`, data)],
    'conversation.markRead': ({ conversationId, messageCount }) => [merge(`mark/${conversationId}`, { target: 'conversation', messageCount, readAt: at() }, 'member/self')],
    'feed.markRead': ({ itemIds }) => itemIds.map((/** @type {string} */ id) => merge(`mark/${id}`, { target: 'feed', readAt: at() }, 'member/self')),
    'feed.archive': ({ itemIds, archived }) => itemIds.map((/** @type {string} */ id) => merge(`feedItem/${id}`, { archived, archivedBy: archived ? me : null })),
    'task.create': (data, id) => [row('org', `task/hub:${id}`, { ...data, status: 'todo', origin: 'person', by: me, createdAt: at() })],
    'task.update': ({ taskId, ...data }) => [merge(`task/${taskId}`, data)],
    'task.dispatch': ({ taskId, conversationId }) => [merge(`task/${taskId}`, { status: 'queued', conversationId, agentId: client.entity('conversation', conversationId).get()?.agentId, instanceId: 'in_mac', by: me, dispatchedAt: at() })],
    'instance.remove': () => [],
  });

  /** @param {{ id: string, kind: string, data: any, error?: any }} command `error`: it was refused before */
  function command({ id, kind, data, error }) {
    const write = writes[kind];
    if (!write) return false;
    const before = write(data, id).map(([, key]) => client.entity(...split(key)).get());
    const rows = write(data, id);
    if (error) {
      fake.push({ put: rows.filter((_, at) => !before[at]) });
      return tellRefused({ id, kind, data }, error, rows, before);
    }
    const stage = held ? 'held' : 'sent';
    const local = Object.fromEntries(rows.map(([, key]) => [key, { commandId: id, stage }]));
    fake.push({ put: rows, local, commands: [{ id, state: stage }] });
    if (!held) setTimeout(() => answer({ id, kind, data }, rows, before), ANSWER_MS);
    return true;
  }

  /** @param {any} asked @param {any[]} rows @param {any[]} before */
  function answer(asked, rows, before) {
    if (/refuse/.test(JSON.stringify(asked.data))) {
      return tellRefused(asked, { code: 'forbidden', message: 'the hub refuses everything that says so', retryable: false }, rows, before);
    }
    fake.push({ local: Object.fromEntries(rows.map(([, key]) => [key, null])), commands: [{ id: asked.id, state: 'completed' }] });
    if (asked.kind === 'instance.remove') fake.push({ drop: [['org', `instance/${asked.data.instanceId}`]] });
    if (asked.kind === 'task.dispatch') setTimeout(() => fake.push({ ...event('task.upserted', { status: 'inProgress' }, `task/${asked.data.taskId}`), put: [merge(`task/${asked.data.taskId}`, { status: 'inProgress', startedAt: at() })] }), 1500);
  }

  /** @param {any} asked @param {any} error @param {any[]} rows what it showed @param {any[]} before what was there */
  function tellRefused(asked, error, rows, before) {
    refused.set(asked.id, asked);
    const back = rows.flatMap(([scope, key], at) => (before[at] ? [row(scope, key, without(before[at]))] : []));
    const local = Object.fromEntries(rows.map(([, key]) => [key, { commandId: asked.id, stage: 'refused', error }]));
    fake.push({ put: back, local, commands: [{ id: asked.id, state: 'refused', error }] });
    return true;
  }

  /** Forgets a refused command with what it showed. @param {string} id */
  function dismiss(id) {
    const asked = refused.get(id);
    if (!asked) return false;
    refused.delete(id);
    const rows = writes[asked.kind](asked.data, id);
    const made = asked.kind === 'task.create';
    fake.push(made ? { drop: rows.map(([scope, key]) => [scope, key]) } : { local: Object.fromEntries(rows.map(([, key]) => [key, null])) });
    return true;
  }

  /** @param {{ id: string, as: string }} again */
  function retry({ id, as }) {
    const asked = refused.get(id);
    if (!asked) return false;
    dismiss(id);
    return command({ ...asked, id: as, data: JSON.parse(JSON.stringify(asked.data).replaceAll('refuse', 'accept')) });
  }

  /** An event as the hub tells it. @param {string} kind @param {any} data @param {string} entity @param {boolean} [replayed] */
  const event = (kind, data, entity, replayed = false) => ({ events: [[{ seq, prev: seq - 1, id: `ev_${seq}`, at: at(), scope: 'org', kind, source: { type: 'instance', id: 'in_mac' }, effects: [{ op: 'put', entity }], data }, replayed]] });

  /** An item comes in, now or while the page was away. @param {string} id @param {any} item @param {boolean} [replayed] */
  function feedItem(id, item, replayed) {
    const data = { instanceId: 'in_mac', occurredAt: at(), ...item };
    fake.push({ put: [row('org', `feedItem/in_mac:${id}`, data)], ...event('feed.itemAdded', data, `feedItem/in_mac:${id}`, replayed) });
  }

  /** A task of the gateway moves. @param {string} id @param {any} patch @param {boolean} [replayed] */
  function task(id, patch, replayed) {
    fake.push({ put: [merge(`task/${id}`, patch)], ...event('task.upserted', patch, `task/${id}`, replayed) });
  }

  return { command, dismiss, retry, feedItem, task, merge };
}

/** @param {string} key @returns {[string, string]} */
function split(key) {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}

/** @param {any} entity */
function without({ id: _, local: __, rev: ___, ...data }) {
  return data;
}
