import { uuidv7 } from './ids.js';
import { sameText } from './same.js';

const FINAL = new Set(['completed', 'failed', 'rejected', 'cancelled', 'expired', 'outcomeUnknown', 'refused', 'dismissed', 'closed']);
const UNANSWERED = new Set(['held', 'sent']);
const REFUSED_KEPT = 200;

/**
 * The commands of this tab, and of other tabs as far as those tell: what was asked, how far it is, and the promises of
 * their handles.
 *
 * @param {{ store: Function, mark: (topic: string) => void }} topics
 * @param {(message: import('./boundary.js').ToCore) => void} post
 * @param {(scope: string) => () => void} retain
 * @param {{ put: (command: any) => void, drop: (id: string) => void }} hold keeps what has no answer over a reload
 */
export function createCommands(topics, post, retain, hold) {
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

  /** @param {string} id @param {string} kind @param {any} data @param {any} value @returns {Command} */
  function create(id, kind, data, value) {
    /** @type {any} */
    const command = { id, kind, data, value: Object.freeze(value) };
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
    commands.set(id, command);
    mark(id);
    return command;
  }

  /** @param {string} kind @param {any} data @param {string} [retryOf] */
  function send(kind, data, retryOf) {
    const id = uuidv7();
    const command = create(id, kind, data, { state: 'held' });
    // Later stages of a command are rows of the org scope.
    command.release = retain('org');
    hold.put(command);
    post(retryOf ? { t: 'retry', id: retryOf, as: id } : { t: 'command', id, kind, data });
    return command.handle;
  }

  /** Goes on with what an earlier page left. @param {{ id: string, kind: string, data: any, error?: any }} held */
  function restore({ id, kind, data, error }) {
    if (commands.has(id)) return;
    const command = create(id, kind, data, error ? { state: 'refused', error } : { state: 'held' });
    if (!error) command.release = retain('org');
    post({ t: 'command', id, kind, data, ...(error && { error }) });
  }

  /** @param {string} id @returns {any} the handle of the new attempt, or null when nothing refused has this id */
  function retry(id) {
    const old = commands.get(id);
    if (!old || old.value.state !== 'refused') return null;
    forget(old);
    return send(old.kind, old.data, id);
  }

  /** @param {string} id */
  function dismiss(id) {
    const command = commands.get(id);
    if (!command || command.value.state !== 'refused') return;
    post({ t: 'dismiss', id });
    forget(command);
    settle(command, { state: 'dismissed' });
  }

  /** @param {Command} command */
  function forget(command) {
    commands.delete(command.id);
    hold.drop(command.id);
    command.release?.();
    command.release = undefined;
  }

  /** @param {{ id: string, state: string, kind?: string, data?: any, error?: any, result?: any }} change */
  function apply({ id, kind, data, ...value }) {
    const isOpen = !FINAL.has(value.state) || value.state === 'refused';
    // Another tab asked for it.
    const command = commands.get(id) ?? (kind && isOpen ? create(id, kind, data, { state: 'held' }) : undefined);
    if (!command || sameText(command.value, value)) return;
    settle(command, value);
    if (!isOpen) commands.delete(id);
    const refused = [...commands.values()].filter((each) => each.value.state === 'refused');
    if (refused.length > REFUSED_KEPT) forget(refused[0]);
  }

  /** @param {Command} command @param {any} value */
  function settle(command, value) {
    command.value = Object.freeze(value);
    mark(command.id);
    if (UNANSWERED.has(value.state)) return;
    command.accepted(value);
    if (value.state === 'refused') hold.put({ ...command, error: value.error });
    // A client that is closed leaves what has no answer to the next one.
    else if (value.state !== 'closed' || value.error) hold.drop(command.id);
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
    restore,
    retry,
    dismiss,
    apply,
    /** @returns {import('./boundary.js').ToCore[]} all of them again, under their ids */
    replay: () => [...commands.values()].map(({ id, kind, data, value }) => again({ id, kind, data, ...value })),
    close,
    /** @returns {readonly any[]} the open and refused ones, oldest first */
    rows: () => (rows ??= Object.freeze([...commands.values()].map(({ id, kind, data, value }) => Object.freeze({ id, kind, data, ...value })))),
  };
}

/**
 * What tells a new core of a command that an earlier one had: what it does not have to do again, and what it has to follow.
 *
 * @param {{ id: string, kind: string, data: any, state: string, error?: any }} command
 * @returns {import('./boundary.js').ToCore}
 */
export function again({ id, kind, data, state, error }) {
  const far = state === 'refused' ? { error } : state === 'held' ? {} : { stage: state };
  return { t: 'command', id, kind, data, ...far };
}
