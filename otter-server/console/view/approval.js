import { contentOf, endOf, isOpen, refusalOf } from '../approval-words.js';
import { attribute, bag, h, icon, show, text, watch } from '../dom.js';
import { agentOf, instanceName, titleOf } from '../model.js';
import { age } from '../seconds.js';
import { clock } from '../words.js';
import { choices } from './approval-choices.js';
import { avatar } from './avatar.js';
import { wholeCommand } from './whole-command.js';

const WARNING = 'M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.4v.1';
const CLOCK = 'M10 2.8a7.2 7.2 0 1 0 0 14.4a7.2 7.2 0 1 0 0-14.4M10 6v4.2l2.6 1.7';
const SHORT_MS = 60_000;
const HASTY = 'This had just moved, so nothing was decided. Press again.';
const CHANGED = 'This has changed. Look at it again: this is what is asked now.';

/**
 * A command that an agent wants to run, and the answer to it. It is answered as it is shown: what is sent names what
 * this card has painted, whatever has arrived since.
 *
 * @param {any} client @param {string} id
 * @param {{ steady: ReturnType<typeof import('./steady.js').createSteady>, here?: string, toResult?: (approvalId: string) => any }} place
 * `steady`: of the list that the card is in; `here`: the conversation that it is shown in; `toResult`: what leads to the
 * step that came of it, or nothing
 */
export function approvalCard(client, id, { steady, here, toResult }) {
  const ends = bag();
  const face = avatar();
  const title = h('h3', { id: `approval-${id}` });
  const where = h('p', { class: 'approval-where' });
  const left = h('span', { class: 'approval-left', 'data-testid': 'approval-left' });
  const warning = h('p', { class: 'approval-warning' });
  const note = h('p', { class: 'approval-note', role: 'status' });
  const state = h('p', { class: 'approval-state', 'data-testid': 'approval-state' });
  const result = h('span', { class: 'approval-result' });
  const ended = h('time', { class: 'age' });
  const command = wholeCommand(() => paint());
  const answer = choices({ decide, isSteady: steady.isSteady, moved: steady.moved, onHasty });
  const element = h('article', {
    class: 'approval', tabIndex: 0, 'aria-labelledby': `approval-${id}`, 'data-testid': 'approval-card', 'data-approval-id': id, onkeydown: onKey,
  }, h('header', { class: 'approval-head' }, face.element, h('div', { class: 'approval-name' }, title, where), left),
  warning, command.element, note, h('div', { class: 'approval-end' }, state, result, ended), answer.element);
  /** @type {any} */
  let shown;
  let content = '';
  let hasty = false;
  let changed = false;
  let until = NaN;
  let offLeft = () => {};

  /** @param {any} decision */
  function decide(decision) {
    if (shown.local?.stage === 'refused') client.dismiss(shown.local.commandId);
    hasty = changed = false;
    client.decide(shown, decision);
    if (element.contains(document.activeElement)) element.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey || shown?.state !== 'pending') return;
    const decision = { a: 'allow-once', d: 'deny' }[event.key.toLowerCase()];
    if (!decision) return;
    event.preventDefault();
    answer.press(decision);
  }

  function onHasty() {
    hasty = true;
    paint();
  }

  function take(/** @type {any} */ approval) {
    if (!approval) return;
    const now = contentOf(approval);
    if (content && now !== content) changed = true;
    if (content && (now !== content || approval.state !== shown.state)) steady.moved();
    if (approval.state !== 'pending') hasty = changed = false;
    content = now;
    shown = approval;
    follow(approval.state === 'pending' ? Date.parse(approval.expiresAt) : NaN);
    paint();
  }

  /** The time that is left, by the hub's clock. @param {number} expires */
  function follow(expires) {
    if (Object.is(expires, until)) return;
    until = expires;
    offLeft();
    offLeft = Number.isNaN(expires) ? () => {} : watch(client.timeLeft(expires), paint);
  }

  function paint() {
    if (!shown) return;
    const machine = instanceName(client, shown.instanceId);
    const agent = agentOf(client, shown)?.name ?? 'An agent';
    const refusal = refusalOf(shown);
    attribute(element, 'data-state', shown.state);
    attribute(element, 'data-outcome', shown.outcome);
    attribute(element, 'data-decision', shown.decision);
    attribute(element, 'data-stage', shown.local?.stage);
    face.set(shown.agentId ?? id, agent);
    text(title, isOpen(shown) ? `${agent} asks to run a command` : `${agent} asked to run a command`);
    paintPlace(machine);
    paintLeft();
    show(warning, Boolean(shown.warning));
    warning.replaceChildren(...(shown.warning ? [icon(WARNING), h('span', {}, shown.warning)] : []));
    command.set(shown.command, `Command of ${agent}`);
    text(note, hasty ? HASTY : refusal || (changed ? CHANGED : ''));
    show(note, Boolean(note.textContent));
    attribute(note, 'data-bad', refusal && !hasty ? '' : null);
    text(state, endOf(client, shown, machine));
    age(ended, isOpen(shown) ? null : (shown.resolvedAt ?? shown.decidedAt));
    paintResult();
    answer.set({ approval: shown, seen: command.isSeen(), agent, machine, connection: client.connection.get(), role: client.self.get()?.role });
  }

  /** @param {string} machine */
  function paintPlace(machine) {
    const { host, conversationId } = shown;
    const conversation = conversationId ? client.entity('conversation', conversationId).get() : undefined;
    const parts = [[host && `on ${host}`, machine].filter(Boolean).join(' · ')];
    if (conversation && conversationId !== here) parts.push(' · ', h('a', { href: `#/c/${encodeURIComponent(conversationId)}` }, titleOf(client, conversation)));
    const key = parts.map((part) => part.textContent ?? part).join('');
    if (where.textContent !== key) where.replaceChildren(...parts);
  }

  function paintLeft() {
    const ms = Number.isNaN(until) ? null : client.timeLeft(until).get();
    show(left, ms !== null);
    attribute(element, 'data-overdue', ms === 0 ? '' : null);
    if (ms === null) return;
    attribute(left, 'data-short', ms <= SHORT_MS ? '' : null);
    const words = ms === 0 ? 'Time is over' : `${clock(ms)} left`;
    if (left.textContent !== words) left.replaceChildren(icon(CLOCK), words);
    left.title = ms === 0 ? 'The gateway has not said what became of it. Nothing runs without an answer of a person.' : `Until ${new Date(until).toLocaleTimeString()}`;
  }

  function paintResult() {
    const way = shown.outcome === 'allowed' ? toResult?.(id) : null;
    if (Boolean(way) !== Boolean(result.firstChild)) result.replaceChildren(...(way ? [way] : []));
  }

  ends.add(watch(client.entity('approval', id), take), client.connection.subscribe(paint), client.self.subscribe(paint), client.list('agent').subscribe(paint),
    client.list('instance').subscribe(paint), () => offLeft(), steady.join(element, paint), command.end);
  return { element, update: paint, end: ends.end, state: () => shown?.state };
}
