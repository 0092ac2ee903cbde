import { isComposing } from '../dom.js';
/**
 * Stops of the runs of a conversation, from any browser: a run is `stopping` from the click until it ended, or until
 * the stop was refused. All of it is read from commands, so it is the same after a reload and on another device.
 *
 * @param {any} client @param {string} conversationId @param {() => void} changed
 */
export function createStops(client, conversationId, changed) {
  const mine = client.commands();
  const shared = client.list('command', { where: { kind: 'run.abort' }, order: '-issuedAt' });
  const offs = [mine.subscribe(changed), shared.subscribe(changed)];

  /** @param {string} runId */
  const refusedHere = (runId) => mine.get().findLast((/** @type {any} */ each) => each.kind === 'run.abort' && each.data.runId === runId && each.state === 'refused');

  /** @param {any} run */
  function stop(run) {
    const old = refusedHere(run.id);
    if (old) client.dismiss(old.id);
    client.command('run.abort', { runId: run.id, conversationId });
  }

  return {
    stop,
    /** Why a run was not stopped, in words; empty when nobody tried or it is on its way. @param {any} run */
    problem({ id, stopping }) {
      if (stopping) return '';
      const refused = refusedHere(id);
      if (refused) return refused.error?.message ?? refused.error?.code ?? 'the hub refused it';
      const ended = shared.get().ids.map((/** @type {string} */ each) => client.entity('command', each).get()).find((/** @type {any} */ each) => each?.runId === id);
      return ended?.error ? (ended.error.message ?? ended.error.code ?? ended.stage) : '';
    },
    end: () => offs.forEach((off) => off()),
  };
}

const TWICE_MS = 1600;

/**
 * Escape twice stops what is going on; the first press says so.
 *
 * @param {{ going(): any[], stop(run: any): void, armed(on: boolean): void }} of
 */
export function stopByEscape({ going, stop, armed }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.key !== 'Escape' || event.defaultPrevented || event.repeat || isComposing(event)) return;
    if (event.target instanceof HTMLInputElement || document.querySelector('dialog[open], [role=menu]:not([hidden])')) return;
    const runs = going();
    if (runs.length === 0) return;
    const second = timer !== undefined;
    disarm();
    if (second) return runs.forEach(stop);
    armed(true);
    timer = setTimeout(disarm, TWICE_MS);
  }

  function disarm() {
    clearTimeout(timer);
    timer = undefined;
    armed(false);
  }

  document.addEventListener('keydown', onKey);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('keydown', onKey);
  };
}
