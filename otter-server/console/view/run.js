import { attribute, bag, h, show, text, watch } from '../dom.js';
import { agentOf } from '../model.js';
import { age } from '../seconds.js';
import { amount, clock } from '../words.js';
import { ripple } from './avatar.js';

/**
 * One run of an agent: while it goes on with what it does and a way to stop it, afterwards with how it ended.
 *
 * @param {any} client @param {string} id
 * @param {{ stop(run: any): void, stopping(id: string): { error?: any } | undefined }} stops
 */
export function runRow(client, id, stops) {
  const ends = bag();
  const words = h('span', { class: 'run-words' });
  const tool = h('span', { class: 'run-tool' });
  const time = h('time', { class: 'age' });
  const stop = h('button', { type: 'button', class: 'stop', onclick: () => stops.stop(client.entity('run', id).get()) }, 'Stop');
  const element = h('div', { class: 'run', 'data-testid': 'run-row', 'data-run-id': id }, ripple(), words, tool, time, stop);

  function update() {
    const run = client.entity('run', id).get();
    if (!run) return;
    const running = run.state === 'running';
    const stopping = running ? stops.stopping(id) : undefined;
    attribute(element, 'data-state', stopping && !stopping.error ? 'stopping' : run.state);
    text(words, running ? runningWords(run, stopping) : endedWords(run));
    const progress = running ? client.signal('run.progress', id).get() : null;
    text(tool, progress ? [progress.tool, progress.title].filter(Boolean).join(' · ') || progress.phase || '' : '');
    age(time, running ? run.startedAt : null, 'clock');
    show(stop, running);
    stop.disabled = Boolean(stopping && !stopping.error);
    text(stop, stop.disabled ? 'Stopping…' : 'Stop');
  }

  /** @param {any} run @param {any} stopping */
  function runningWords(run, stopping) {
    if (stopping?.error) return `Could not stop: ${stopping.error.message ?? stopping.error.code}`;
    return `${agentOf(client, run)?.name ?? 'The agent'} is working`;
  }

  ends.add(watch(client.signal('run.progress', id), update), client.entity('run', id).subscribe(update));
  return { element, update, end: ends.end };
}

/** @param {any} run */
function endedWords({ state, startedAt, endedAt, model, usage, error, empty }) {
  const took = startedAt && endedAt ? clock(Date.parse(endedAt) - Date.parse(startedAt)) : '';
  const facts = [took, model, usage?.output === undefined ? '' : `${amount(usage.output)} tokens written`].filter(Boolean).join(' · ');
  const ending = {
    completed: empty ? 'Ended without an answer' : '',
    failed: `${error?.code === 'lost' ? 'Interrupted' : 'Failed'}: ${error?.message ?? 'no reason given'}`,
    aborted: 'Stopped',
  }[state] ?? state;
  return [ending, facts].filter(Boolean).join(' · ');
}
