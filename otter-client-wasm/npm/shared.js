import { again } from './commands.js';

const FINAL = new Set(['completed', 'failed', 'rejected', 'cancelled', 'expired', 'outcomeUnknown', 'dismissed', 'closed']);
const REFUSED_KEPT = 200;
const ENDED_KEPT = 200;

/**
 * The commands of all tabs: each tab shows those of the others too, and may try a refused one again. The last ended ones
 * are kept for tabs that were behind.
 *
 * @typedef {{ id: string, kind: string, data: any, state: string, error?: any, result?: any }} Shared
 */
export function createShared() {
  /** @type {Map<string, Shared>} by id */
  const commands = new Map();

  /** @param {Shared} command */
  function put(command) {
    commands.delete(command.id);
    commands.set(command.id, command);
    trim(({ state }) => state === 'refused', REFUSED_KEPT);
    trim(({ state }) => FINAL.has(state), ENDED_KEPT);
    return command;
  }

  /** @param {(command: Shared) => boolean} of @param {number} most */
  function trim(of, most) {
    const found = [...commands.values()].filter(of);
    for (const { id } of found.slice(0, Math.max(0, found.length - most))) commands.delete(id);
  }

  /** @param {string} id @returns {Shared[]} the news that it is gone */
  function dismiss(id) {
    const old = commands.get(id);
    return old?.state === 'refused' ? [put({ ...old, state: 'dismissed' })] : [];
  }

  return {
    /** What a tab asks for. @param {any} message @returns {{ news: Shared[], isNew: boolean }} `isNew`: the core has to hear of it */
    posted({ t, id, as, kind, data, error, stage = 'held' }) {
      const old = commands.get(id);
      if (t === 'dismiss') return { news: dismiss(id), isNew: old?.state === 'refused' };
      if (t === 'command' && old) return { news: [old], isNew: false };
      if (t === 'command') return { news: [put({ id, kind, data, ...(error ? { state: 'refused', error } : { state: stage }) })], isNew: true };
      // Retried in two tabs at once: the first one counts.
      if (old?.state !== 'refused') return { news: [{ id: as, kind: old?.kind ?? '', data: old?.data, state: 'dismissed' }], isNew: false };
      return { news: [...dismiss(id), put({ id: as, kind: old.kind, data: old.data, state: 'held' })], isNew: true };
    },
    /** News of the core. @param {any[]} changes @returns {Shared[]} with what was asked */
    apply: (changes) => changes.flatMap((change) => (commands.has(change.id) ? [put({ .../** @type {Shared} */ (commands.get(change.id)), ...change })] : [])),
    all: () => [...commands.values()],
    clear: () => commands.clear(),
    /** @returns {import('./boundary.js').ToCore[]} all that are not over again */
    replay: () => [...commands.values()].filter(({ state }) => !FINAL.has(state)).map(again),
  };
}
