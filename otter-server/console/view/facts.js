import { attribute, bag, h, text, watch } from '../dom.js';
import { saysOf } from '../machine.js';
import { agentOf, instanceName } from '../model.js';
import { age, everySecond } from '../seconds.js';
import { amount, gatewayText, reasonText } from '../words.js';
import { contextRing, fullness } from './context-ring.js';
import { pairingNotice } from './instances.js';
import { sheet } from './sheet.js';

/** What is known of the session of a conversation and of the machine it lives on. @param {any} client @param {string} conversationId */
export function facts(client, conversationId) {
  const ends = bag();
  const ring = contextCard();
  const session = sheet('sheet', ['Agent', 'Says', 'Status', 'Model', 'Last activity', 'Channel', 'Tokens in all']);
  const machine = sheet('sheet', ['Link to the hub', 'Since', 'Last heartbeat', 'Gateway', 'Gateway since', 'Waiting to be sent', 'Refused by the hub', 'Events missing since', 'Bridge']);
  const machineName = h('h2');
  const pairing = pairingNotice();
  const element = h('div', { class: 'facts-body' },
    h('section', { class: 'card' }, h('h2', {}, 'Context'), ring.element),
    h('section', { class: 'card' }, h('h2', {}, 'Session'), session.element),
    h('section', { class: 'card' }, machineName, pairing.element, machine.element));

  const paintSession = () => {
    const conversation = client.entity('conversation', conversationId).get();
    const row = client.entity('session', conversationId).get();
    ring.set(row);
    const agent = agentOf(client, conversation);
    session.set('Agent', agent?.name);
    paintSays();
    session.set('Status', row?.status);
    session.set('Model', row?.model ?? agent?.model);
    session.age('Last activity', row?.lastActivityAt);
    session.set('Channel', [row?.channel, row?.kind].filter(Boolean).join(' · '));
    session.set('Tokens in all', typeof row?.lifetimeTokens === 'number' ? amount(row.lifetimeTokens) : '');
    if (conversation) follow(conversation.instanceId, conversation.agentId);
  };

  const paintSays = () => session.set('Says', saysOf(client, agentOf(client, client.entity('conversation', conversationId).get())));
  const machineEnds = bag();
  let followed = '';
  /** @param {string} instanceId @param {string} agentId */
  function follow(instanceId, agentId) {
    if (followed === instanceId + agentId) return;
    followed = instanceId + agentId;
    machineEnds.end();
    const heartbeat = client.signal('instance.heartbeat', instanceId);
    const paint = () => paintMachine(instanceId, heartbeat.get());
    machineEnds.add(client.entity('agent', agentId).subscribe(paintSession), client.entity('instance', instanceId).subscribe(paint), watch(heartbeat, paint));
  }

  /** @param {string} id @param {any} heartbeat */
  function paintMachine(id, heartbeat) {
    const instance = client.entity('instance', id).get();
    text(machineName, instanceName(client, id));
    if (!instance) return;
    const { connection, gateway, bridge, outbox } = instance;
    machine.set('Link to the hub', connection === 'online' ? 'online' : [connection, reasonText(instance.reason ?? null)].filter(Boolean).join(': '));
    machine.age('Since', connection === 'online' ? instance.connectedAt : instance.disconnectedAt);
    const gatewayWords = gatewayText(gateway).replace('gateway ', '') + (connection === 'online' || !gateway ? '' : ' when last seen');
    machine.set('Gateway', [gatewayWords, gateway?.version].filter(Boolean).join(' · '));
    machine.age('Gateway since', connection === 'online' ? gateway?.since : undefined);
    machine.age('Last heartbeat', connection === 'online' ? heartbeat?.at : undefined);
    const pending = heartbeat?.outbox?.pending ?? outbox?.pending;
    machine.set('Waiting to be sent', pending ? String(pending) : '');
    machine.set('Refused by the hub', outbox?.dead ? String(outbox.dead) : '');
    machine.age('Events missing since', instance.gap?.at);
    machine.set('Bridge', [bridge?.name, bridge?.version].filter(Boolean).join(' '));
    pairing.set(gateway);
  }

  ends.add(watch(client.entity('conversation', conversationId), paintSession), client.entity('session', conversationId).subscribe(paintSession), client.connection.subscribe(paintSays), everySecond(paintSays), machineEnds.end);
  return { element, end: ends.end };
}

/** The context of a session, drawn and in words. */
function contextCard() {
  const ring = contextRing();
  const words = h('span');
  const at = h('time', { class: 'age' });
  const element = h('div', { class: 'context', 'data-testid': 'session-context' }, ring.element, h('div', { class: 'ring-words' }, words, at));
  return {
    element,
    /** @param {any} session */
    set(session) {
      const { value, limit, known } = fullness(session);
      ring.set(session);
      attribute(element, 'data-used', known ? value : null);
      attribute(element, 'data-limit', limit ?? null);
      text(words, ring.words(session).replace('Context: ', ''));
      age(at, known ? session.contextUsed.at : null);
    },
  };
}
