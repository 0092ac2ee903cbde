import { uuidv7 } from './ids.js';

const FINAL = new Set(['completed', 'failed', 'rejected', 'cancelled', 'expired', 'outcomeUnknown', 'refused', 'dismissed', 'closed']);
const UNANSWERED = new Set(['held', 'sent']);
const REFUSED_KEPT = 200;

/**
 * The commands of this tab: what was asked, how far it is, and the promises of their handles.
 *
 * @param {{ store: Function, mark: (topic: string) => void }} topics
 * @param {(message: import('./boundary.js').ToCore) => void} post
 * @param {(scope: string) => () => void} retain
 */
export function createCommands(topics, post, retain) {
  /**
   * @typedef {{
   *   id: string, kind: string, data: any, value: any, release?: () => void,
   *   accepted: (value: any) => void, done: (value: any) => void, handle: any,
   * }} Command
   * @type {Map<string, Command>} open and refused ones
   */
  const commands = new Map();
  const topic = (/** @type {string} */ id) => `command:${id}`;
  /** @type {readonly any[] | null} made when it is asked for */
  let rows = null;

  /** @param {string} id */
  function mark(id) {
    rows = null;
    topics.mark('commands');
    topics.mark(topic(id));
  }

  /** @param {string} kind @param {any} data @param {string} [retryOf] */
  function send(kind, data, retryOf) {
    const id = uuidv7();
    /** @type {any} */
    const command = { id, kind, data, value: Object.freeze({ state: 'held' }) };
    const accepted = new Promise((resolve) => (command.accepted = resolve));
    const done = new Promise((resolve) => (command.done = resolve));
    command.handle = {
      id,
      ...topics.store([topic(id)], () => command.value),
      accepted,
      done,
      retry: () => retry(id),
      dismiss: () => dismiss(id),
    };
    // Later stages of a command are rows of the org scope.
    command.release = retain('org');
    commands.set(id, command);
    mark(id);
    post(retryOf ? { t: 'retry', id: retryOf, as: id } : { t: 'command', id, kind, data });
    return command.handle;
  }

  /** @param {string} id @returns {any} the handle of the new attempt, or null when nothing refused has this id */
  function retry(id) {
    const old = commands.get(id);
    if (!old || old.value.state !== 'refused') return null;
    commands.delete(id);
    old.release?.();
    return send(old.kind, old.data, id);
  }

  /** @param {string} id */
  function dismiss(id) {
    const command = commands.get(id);
    if (!command || command.value.state !== 'refused') return;
    post({ t: 'dismiss', id });
    settle(command, { state: 'dismissed' });
    commands.delete(id);
  }

  /** @param {{ id: string, state: string, error?: any, result?: any }} change */
  function apply({ id, ...value }) {
    const command = commands.get(id);
    if (!command) return;
    settle(command, value);
    if (value.state !== 'refused' && FINAL.has(value.state)) commands.delete(id);
    const refused = [...commands.values()].filter((each) => each.value.state === 'refused');
    if (refused.length > REFUSED_KEPT) commands.delete(refused[0].id);
  }

  /** @param {Command} command @param {any} value */
  function settle(command, value) {
    command.value = Object.freeze(value);
    mark(command.id);
    if (!UNANSWERED.has(value.state)) command.accepted(value);
    if (!FINAL.has(value.state)) return;
    command.done(value);
    command.release?.();
    command.release = undefined;
  }

  /** Nobody carries these out any more. @param {any} [error] */
  function close(error) {
    for (const command of commands.values()) {
      if (!FINAL.has(command.value.state)) settle(command, { state: 'closed', ...(error && { error }) });
      else mark(command.id);
    }
    commands.clear();
  }

  return {
    send,
    retry,
    dismiss,
    apply,
    /** @returns {object[]} the unanswered ones again, under their ids */
    replay: () =>
      [...commands.values()]
        .filter(({ value }) => UNANSWERED.has(value.state))
        .map(({ id, kind, data }) => ({ t: 'command', id, kind, data })),
    close,
    /** @returns {readonly any[]} the open and refused ones, oldest first */
    rows: () => (rows ??= Object.freeze([...commands.values()].map(({ id, kind, data, value }) => Object.freeze({ id, kind, data, ...value })))),
  };
}
