import { attribute, bag, h, icon, show, text, watch } from '../dom.js';
import { agentOf } from '../model.js';
import { age } from '../seconds.js';
import { amount, clock } from '../words.js';
import { ripple } from './avatar.js';

const SQUARE = 'M6 6h8v8H6z';

/** How a run ended, after its answer. Nothing is shown of one that ended well and has nothing to tell. @param {any} client @param {string} id */
export function runEnd(client, id) {
  const words = h('span', { class: 'run-words' });
  const facts = h('span', { class: 'run-facts' });
  const element = h('div', { class: 'run', 'data-testid': 'run-row', 'data-run-id': id }, words, ' ', facts);
  /** @param {any} run */
  function update(run) {
    attribute(element, 'data-state', run.state);
    attribute(element, 'data-empty', run.empty ? '' : null);
    text(words, endedWords(run));
    text(facts, factsOf(run));
  }
  return { element, update };
}

/** @param {any} run */
function endedWords({ state, error, empty }) {
  switch (state) {
    case 'completed':
      return empty ? 'Ended without an answer' : '';
    case 'failed':
      return `${error?.code === 'lost' ? 'Interrupted' : 'Failed'}: ${error?.message ?? 'no reason given'}`;
    case 'aborted':
      return 'Stopped';
    default:
      return state;
  }
}

/** @param {any} run */
function factsOf({ startedAt, endedAt, model, usage }) {
  const time = startedAt && endedAt ? clock(Date.parse(endedAt) - Date.parse(startedAt)) : '';
  return [time, model, usage?.output === undefined ? '' : `${amount(usage.output)} tokens written`].filter(Boolean).join(' · ');
}

/**
 * A run that goes on: what it does at the moment, for how long, and a way to stop it.
 *
 * @param {any} client @param {string} id
 * @param {{ stop(run: any): void, problem(run: any): string, isArmed(): boolean }} stops
 */
export function liveRun(client, id, stops) {
  const ends = bag();
  const words = h('span', { class: 'run-words' });
  const phase = h('span', { class: 'run-tool', 'data-testid': 'run-phase' });
  const time = h('time', { class: 'age' });
  const label = h('span');
  const stop = h('button', { type: 'button', class: 'stop', 'data-testid': 'stop-button', 'data-run-id': id, 'aria-keyshortcuts': 'Escape', onclick: () => stops.stop(run) }, icon(SQUARE), label);
  const element = h('div', { class: 'run', 'data-testid': 'run-row', 'data-run-id': id, role: 'group' }, ripple(), words, phase, time, stop);
  /** @type {any} */
  let run;

  /** @param {any} next */
  function update(next) {
    run = next;
    paint();
  }

  function paint() {
    if (!run) return;
    const problem = stops.problem(run);
    const name = agentOf(client, run)?.name ?? 'The agent';
    const stopping = Boolean(run.stopping);
    attribute(element, 'data-state', stopping ? 'stopping' : 'running');
    attribute(element, 'data-problem', problem ? '' : null);
    attribute(element, 'aria-label', `${name} is working`);
    text(words, problem ? `Could not stop: ${problem}` : stopping ? 'Stopping…' : `${name} is working`);
    const progress = client.signal('run.progress', id).get();
    text(phase, progress && !problem ? phaseOf(progress) : '');
    phase.title = phase.textContent;
    age(time, run.startedAt, 'clock');
    stop.disabled = stopping;
    attribute(stop, 'data-stopping', String(stopping));
    attribute(stop, 'data-armed', stops.isArmed() && !stopping ? '' : null);
    text(label, stopping ? 'Stopping…' : problem ? 'Stop again' : stops.isArmed() ? 'Esc again stops' : 'Stop');
    attribute(stop, 'aria-label', stopping ? `Stopping ${name}` : `Stop ${name}`);
    stop.title = stopping ? 'Until the gateway says that it has ended' : 'Stop (Escape twice)';
  }

  ends.add(watch(client.signal('run.progress', id), paint), client.list('agent').subscribe(paint));
  return { element, update, end: ends.end };
}

const PHASES = /** @type {Record<string, string>} */ ({
  'waiting-approval': 'waits for an approval', waiting_approval: 'waits for an approval', thinking: 'thinks', compacting: 'sums up its context', working: '',
  preparing_workspace: 'gets ready', preparing_context: 'gets ready', starting_model: 'wakes its model', retrying: 'tries again',
});

/** @param {{ phase?: string, tool?: string, title?: string }} progress */
export function phaseOf({ phase = '', tool, title }) {
  return [tool, title].filter(Boolean).join(' · ') || (PHASES[phase] ?? phase);
}
