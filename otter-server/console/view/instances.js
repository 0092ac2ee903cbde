import { attribute, bag, h, keyed, show, text, watch } from '../dom.js';
import { mainConversation, sessionsOf } from '../model.js';
import { copy } from '../notices.js';
import { recall, remember } from '../prefs.js';
import { age, everySecond } from '../seconds.js';
import { gatewayText } from '../words.js';
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
  const rows = keyed(list, (id) => instanceRow(client, route, id));
  watch(client.list('instance', { order: 'name' }), ({ ids, loading }) => {
    rows.set(ids.map((key) => ({ key })));
    show(hint, ids.length === 0);
    hint.replaceChildren(...(loading ? ['Looking for machines…'] : first));
  });
  const fold = h('details', { class: 'side-section instances-section', open: recall('machines') ?? true, ontoggle: () => remember('machines', fold.open) },
    h('summary', {}, h('span', { class: 'fold', 'aria-hidden': 'true' }), 'Machines and agents'), hint, list);
  return fold;
}

/** @param {any} client @param {any} route @param {string} id */
function instanceRow(client, route, id) {
  const ends = bag();
  const name = h('span', { class: 'instance-name' });
  const link = h('span', { class: 'axis', 'data-axis': 'hub' });
  const linkWord = h('span');
  const linkAge = h('time', { class: 'age' });
  const gateway = h('span', { class: 'axis', 'data-axis': 'gateway' });
  const gatewayWord = h('span');
  const gatewayAge = h('time', { class: 'age' });
  link.append(h('span', { class: 'dot' }), linkWord, linkAge);
  gateway.append(h('span', { class: 'dot' }), gatewayWord, gatewayAge);
  const agents = h('div', { class: 'agents', role: 'list' });
  const pairing = pairingNotice();
  const element = h('article', { class: 'instance', 'data-testid': 'instance-row', 'data-instance-id': id },
    h('div', { class: 'instance-head' }, name, link, gateway), pairing.element, agents);

  ends.add(watch(client.entity('instance', id), (instance) => {
    if (!instance) return;
    attribute(element, 'data-connection', instance.connection ?? 'unknown');
    attribute(element, 'data-gateway', instance.gateway?.state ?? 'unknown');
    text(name, instance.name || id);
    name.title = id;
    text(linkWord, instance.connection ?? 'never connected');
    age(linkAge, instance.connection === 'online' ? instance.connectedAt : instance.disconnectedAt, 'for');
    const past = instance.connection === 'online' || !instance.gateway ? '' : ' when last seen';
    text(gatewayWord, gatewayText(instance.gateway) + past);
    age(gatewayAge, past ? null : instance.gateway?.since, 'for');
    gateway.title = [instance.gateway?.reason, instance.gateway?.version].filter(Boolean).join(' · ');
    pairing.set(instance.gateway);
  }));
  const rows = keyed(agents, (agentId) => agentRow(client, route, agentId));
  ends.add(watch(client.list('agent', { where: { instanceId: id }, order: 'name' }), ({ ids }) => rows.set(ids.map((key) => ({ key })))), rows.end);
  return { element, end: ends.end };
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
    text(status, [agent.status, agent.statusText].filter(Boolean).join(' · ') || agent.model || 'no status reported');
    attribute(button, 'data-status', agent.status ?? 'unknown');
    attribute(button, 'data-running', running);
    age(active, sessions[0]?.lastActivityAt, 'short');
  };
  ends.add(watch(client.entity('agent', id), paint), everySecond(paint));
  return { element, end: ends.end };
}
