import { ask } from '../ask.js';
import { attribute, bag, h, icon, keyed, show, text, watch } from '../dom.js';
import { silence } from '../machine.js';
import { inTrouble, mayManage } from '../model.js';
import { collapse } from '../motion.js';
import { copy } from '../notices.js';
import { age, everySecond } from '../seconds.js';
import { gatewayText, reasonText, span } from '../words.js';
import { openDialog } from './dialog.js';
import { field } from './field.js';
import { agentRow, pairingNotice } from './instances.js';
import { openMenu } from './menu.js';
import { sheet } from './sheet.js';

const DOTS = 'M5 10h.01M10 10h.01M15 10h.01';

/**
 * A machine: its link to the hub, the link of its bridge to the gateway, and what its agents report. Three things, each
 * with its own age.
 *
 * @param {any} client @param {any} route @param {string} id
 */
export function fleetCard(client, route, id) {
  const ends = bag();
  /** @type {any} */
  let instance = null;
  const name = h('h2', { class: 'fleet-name' });
  const more = h('button', { type: 'button', class: 'quiet small', 'aria-haspopup': 'menu', onclick: menu }, icon(DOTS));
  const hub = axis('hub', 'Hub');
  const gateway = axis('gateway', 'Gateway');
  const pairing = pairingNotice();
  const gap = h('p', { class: 'fleet-gap', hidden: true });
  const facts = sheet('fleet-facts', ['Bridge', 'Open runs', 'Waits to be sent', 'Refused by the hub']);
  const agents = h('div', { class: 'agents', role: 'list', 'aria-label': 'Agents' });
  const noAgents = h('p', { class: 'hint' }, 'No agent reported yet.');
  const element = h('article', { class: 'fleet-card', tabIndex: 0, 'data-testid': 'fleet-card', 'data-instance-id': id, 'data-walk-row': '', onkeydown: (/** @type {KeyboardEvent} */ event) => event.target === element && event.key === 'Enter' && menu() },
    h('header', { class: 'fleet-head' }, h('div', { class: 'fleet-names' }, name, h('code', { class: 'fleet-id' }, id)), more),
    h('div', { class: 'fleet-axes' }, hub.element, gateway.element), pairing.element, gap, facts.element, agents, noAgents);

  function menu() {
    openMenu(more, [
      { label: 'Copy its id', run: () => copy(h('button', {}, ''), id) },
      ...(mayManage(client) ? [null, { label: 'Remove from the org…', danger: true, run: () => removal(client, instance) }] : []),
    ]);
  }

  const paintHub = () => {
    if (!instance) return;
    const { connection, heardAt } = instance;
    const silent = silence(client, instance);
    attribute(element, 'data-silent', silent ? '' : null);
    if (connection === 'online') hub.set(silent ? `online, silent for ${span(silent)}` : 'online', heardAt === null ? '' : silent ? '' : 'heard', silent ? null : heardAt, `since ${new Date(instance.connectedAt).toLocaleString()}`);
    else if (connection) hub.set(connection, reasonText(instance.reason ?? null), instance.disconnectedAt, 'last seen');
    else hub.set('never connected', '', null);
  };

  /** @param {any} next */
  function update(next) {
    instance = next;
    const { connection, bridge, outbox, openRuns } = instance;
    const link = instance.gateway;
    attribute(element, 'data-connection', connection ?? 'unknown');
    attribute(element, 'data-gateway', link?.state ?? 'unknown');
    attribute(element, 'data-trouble', inTrouble(instance) ? '' : null);
    attribute(element, 'aria-label', `${instance.name ?? id}: ${connection ?? 'never connected'}, ${gatewayText(link)}`);
    text(name, instance.name || id);
    attribute(more, 'aria-label', `Actions for ${instance.name || id}`);
    paintHub();
    const past = connection === 'online' || !link ? '' : 'when last seen';
    gateway.set(gatewayText(link).replace('gateway ', ''), [link?.version && `OpenClaw ${link.version}`, past].filter(Boolean).join(' · '), past ? null : link?.since);
    pairing.set(link);
    show(gap, Boolean(instance.gap?.at));
    if (instance.gap) text(gap, `Its outbox was replaced on ${new Date(instance.gap.at).toLocaleString()}: events from before may be missing.`);
    facts.set('Bridge', bridge?.version ? `${bridge.name === 'otter-bridge' ? '' : `${bridge.name} `}${bridge.version}` : '');
    facts.set('Waits to be sent', outbox?.pending ? String(outbox.pending) : outbox ? '0' : '');
    facts.set('Refused by the hub', outbox?.dead ? String(outbox.dead) : '');
    facts.set('Open runs', String(openRuns));
  }

  const rows = keyed(agents, (agentId) => agentRow(client, route, agentId));
  ends.add(watch(client.list('agent', { where: { instanceId: id }, order: 'name' }), ({ ids, loading }) => {
    rows.set(ids.map((/** @type {string} */ key) => ({ key })));
    show(noAgents, ids.length === 0 && !loading);
  }), client.connection.subscribe(paintHub), everySecond(paintHub), rows.end);
  return { element, update, end: ends.end, leave: (/** @type {() => void} */ done) => collapse(element, done) };
}

/** @param {string} axisName @param {string} label */
function axis(axisName, label) {
  const word = h('strong');
  const detail = h('span');
  const since = h('time', { class: 'age' });
  const element = h('div', { class: 'axis', 'data-axis': axisName }, h('span', { class: 'axis-label' }, label), h('span', { class: 'dot' }), h('span', { class: 'axis-words' }, word, ' ', detail, ' ', since));
  return {
    element,
    /** @param {string} words @param {string} more @param {string | number | null | undefined} at @param {string} [title] */
    set(words, more, at, title = '') {
      text(word, words);
      text(detail, more);
      age(since, at);
      element.title = title;
    },
  };
}

/** Takes a machine out of the org, once its name was typed. @param {any} client @param {any} instance */
function removal(client, instance) {
  const name = instance.name || instance.id;
  const input = h('input', { type: 'text', class: 'text-input', autocomplete: 'off', 'data-testid': 'remove-name', oninput: () => (button.disabled = input.value.trim() !== name) });
  const button = h('button', { type: 'submit', class: 'primary danger', disabled: true, 'data-testid': 'remove-confirm' }, 'Remove it');
  const form = h('form', { class: 'dialog-body', onsubmit: submit },
    h('p', {}, 'Its link to the hub is cut and its key is worth nothing any more. Commands on their way to it end without being known to have been carried out.'),
    h('p', {}, 'Its agents go, its conversations are archived, and what it published stays. To come back it has to be added anew.'),
    field(`Type “${name}” to go on`, input),
    h('div', { class: 'dialog-foot' }, h('button', { type: 'button', class: 'plain', onclick: () => dialog.close() }, 'Keep it'), button));
  const dialog = openDialog({ title: `Remove ${name}?`, name: 'remove' }, form);
  input.focus();

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    dialog.close();
    ask(client, 'instance.remove', { instanceId: instance.id });
  }
}
