import { notify, withdraw } from './notices.js';
import { watch } from './dom.js';
import { sentence } from './words.js';

/** What did not happen, by command. Those that are missing are shown where they were given. */
const NOT_DONE = /** @type {Record<string, string>} */ ({
  'conversation.update': 'The conversation was not changed',
  'conversation.markRead': 'The conversation was not marked read',
  'feed.archive': 'The feed was not changed',
  'feed.markRead': 'The items were not marked read',
  'task.create': 'The task was not written down',
  'task.update': 'The task was not changed',
  'task.dispatch': 'The task was not handed over',
  'instance.remove': 'The machine was not removed',
});
const ENDED_BADLY = new Set(['failed', 'rejected', 'expired', 'outcomeUnknown', 'cancelled']);
const WHY = /** @type {Record<string, string>} */ ({
  expired: 'nobody carried it out in time',
  outcomeUnknown: 'it may have been carried out: look before you try again',
  cancelled: 'it was called off',
});

/**
 * Asks for something, and says so when it was accepted and then not carried out. A refusal is told by `tellRefusals`.
 *
 * @param {any} client @param {string} kind @param {any} data
 */
export function ask(client, kind, data) {
  const handle = client.command(kind, data);
  handle.done.then((/** @type {any} */ { state, error }) => {
    if (!ENDED_BADLY.has(state)) return;
    notify(`ended ${handle.id}`, {
      words: NOT_DONE[kind] ?? 'That was not done', detail: sentence(error?.message ?? WHY[state] ?? ''), tone: 'bad', lasts: 0,
      actions: [['Try again', () => ask(client, kind, data)]],
    });
  });
  return handle;
}

/** Shows each refused command of this page with its reason until it is tried again or dismissed. @param {any} client */
export function tellRefusals(client) {
  /** @type {Set<string>} */
  let told = new Set();
  watch(client.commands(), (rows) => {
    const refused = rows.filter((/** @type {any} */ { kind, state }) => state === 'refused' && NOT_DONE[kind]);
    const ids = new Set(refused.map((/** @type {any} */ { id }) => id));
    for (const id of told) if (!ids.has(id)) withdraw(`refused ${id}`);
    for (const { id, kind, error } of refused) {
      if (told.has(id)) continue;
      notify(`refused ${id}`, {
        words: NOT_DONE[kind], detail: sentence(error?.message ?? ''), tone: 'bad', lasts: 0, onclose: () => client.dismiss(id),
        actions: [['Try again', () => client.retry(id)]],
      });
    }
    told = ids;
  });
}
