import { attribute, bag, h, keyed, show, text, watch } from '../dom.js';
import { saysOf, silence } from '../machine.js';
import { mainConversation, sessionsOf } from '../model.js';
import { copy } from '../notices.js';
import { recall, remember } from '../prefs.js';
import { link } from '../route.js';
import { age, everySecond } from '../seconds.js';
import { gatewayText, span } from '../words.js';
import { avatar, ripple } from './avatar.js';

/**
 * Instances with their agents. Three things that are never one word: the link of the instance to the hub, the link of
 * its bridge to the gateway, and what an agent reports.
 *
 * @param {any} client
 * @param {{ open(conversationId: string): void }} route
 */
export function instances(client, route) {
  const list = h('div', { class: 'instances' });
  const hint = h('p', { class: 'hint' });
  const first = ['No machine yet. On the hub, run ', h('code', {}, 'otter-server instance add'), ', then start ', h('code', {}, 'otter-bridge'), ' with the token it prints.'];
  const views = keyed(list, (id) => instanceRow(client, route, id));
  watch(client.instances(), ({ rows, loading }) => {
    views.set(rows.map((/** @type {any} */ row) => ({ key: row.id, item: row })));
    show(hint, rows.length === 0);
    hint.replaceChildren(...(loading ? ['Looking for machines…'] : first));
  });
  const fold = h('details', { class: 'side-section instances-section', open: recall('machines') ?? true, ontoggle: () => remember('machines', fold.open) },
    h('summary', {}, h('span', { class: 'fold', 'aria-hidden': 'true' }), 'Machines and agents'), hint, list);
  return fold;
}

/** @param {any} client @param {any} route @param {string} id */
function instanceRow(client, route, id) {
  const ends = bag();
  /** @type {any} */
  let instance = null;
  const name = h('span', { class: 'instance-name', title: id });
  const hub = axis('hub');
  const gateway = axis('gateway');
  const help = h('a', { class: 'instance-help', href: link('fleet'), hidden: true }, 'Allow it…');
  gateway.element.append(help);
  const agents = h('div', { class: 'agents', role: 'list' });
  const element = h('article', { class: 'instance', 'data-testid': 'instance-row', 'data-instance-id': id }, h('div', { class: 'instance-head' }, name, hub.element, gateway.element), agents);

  const paintHub = () => {
    const silent = silence(client, instance);
    attribute(element, 'data-silent', silent ? '' : null);
    hub.set(silent ? `silent for ${span(silent)}` : (instance.connection ?? 'never connected'), silent ? null : instance.connection === 'online' ? instance.connectedAt : instance.disconnectedAt);
  };

  /** @param {any} next */
  function update(next) {
    instance = next;
    const { connection, gateway: state } = instance;
    attribute(element, 'data-connection', connection ?? 'unknown');
    attribute(element, 'data-gateway', state?.state ?? 'unknown');
    text(name, instance.name || id);
    paintHub();
    const past = connection === 'online' || !state ? '' : ' when last seen';
    gateway.set(gatewayText(state) + past, past ? null : state?.since);
    gateway.element.title = [state?.reason, state?.version].filter(Boolean).join(' · ');
    show(help, state?.state === 'pairing' && !past);
  }

  const rows = keyed(agents, (agentId) => agentRow(client, route, agentId));
  ends.add(watch(client.list('agent', { where: { instanceId: id }, order: 'name' }), ({ ids }) => rows.set(ids.map((key) => ({ key })))), everySecond(() => instance && paintHub()), client.connection.subscribe(() => instance && paintHub()), rows.end);
  return { element, update, end: ends.end };
}

/** @param {string} name */
function axis(name) {
  const word = h('span', { class: 'axis-word' });
  const since = h('time', { class: 'age' });
  return {
    element: h('span', { class: 'axis', 'data-axis': name }, h('span', { class: 'dot' }), word, since),
    /** @param {string} words @param {string | null | undefined} at */
    set(words, at) {
      text(word, words);
      age(since, at, 'for');
    },
  };
}

/** What to type on the machine while its gateway waits to be paired. */
export function pairingNotice() {
  const why = h('p');
  const command = h('code', { tabIndex: 0 });
  const button = h('button', { type: 'button', class: 'quiet', onclick: () => copy(button, command.textContent) }, 'Copy');
  const element = h('div', { class: 'notice', hidden: true }, why, h('div', { class: 'command' }, command, button));

  return {
    element,
    /** @param {any} gateway */
    set(gateway) {
      const waits = gateway?.state === 'pairing';
      const trouble = gateway?.reason && !['online', 'connecting'].includes(gateway.state);
      show(element, Boolean(waits || trouble));
      show(command.parentElement, Boolean(waits && gateway.requestId));
      text(why, waits ? 'Allow this bridge at the gateway. On that machine, run:' : (gateway?.reason ?? ''));
      text(command, waits ? `openclaw devices approve ${gateway.requestId}` : '');
    },
  };
}

/** @param {any} client @param {any} route @param {string} id */
export function agentRow(client, route, id) {
  const ends = bag();
  const face = avatar();
  const name = h('span', { class: 'row-title' });
  const status = h('span', { class: 'row-sub' });
  const active = h('time', { class: 'age' });
  const element = h('div', { role: 'listitem' });
  const button = h('button', { type: 'button', class: 'row agent', 'data-testid': 'agent-row', 'data-agent-id': id, onclick: open },
    face.element, h('span', { class: 'row-main' }, name, status), h('span', { class: 'row-side' }, active, ripple()));
  element.append(button);

  function open() {
    const conversation = mainConversation(client, id);
    if (conversation) route.open(conversation);
  }

  const paint = () => {
    const agent = client.entity('agent', id).get();
    if (!agent) return;
    const sessions = sessionsOf(client, id);
    const running = sessions.some((/** @type {any} */ { conversationId }) => conversationId && client.entity('conversation', conversationId).get()?.activeRun);
    face.set(id, agent.name);
    text(name, agent.name || id);
    text(status, saysOf(client, agent) || agent.model || 'no status reported');
    attribute(button, 'data-status', agent.status ?? 'unknown');
    attribute(button, 'data-running', running);
    age(active, sessions[0]?.lastActivityAt, 'short');
  };
  ends.add(watch(client.entity('agent', id), paint), client.connection.subscribe(paint), everySecond(paint));
  return { element, end: ends.end };
}
