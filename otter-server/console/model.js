/** What the views derive from entities, in one place. */

/** @param {any} client @param {any} conversation */
export function titleOf(client, conversation) {
  if (!conversation) return '';
  const { id, title, derivedTitle } = conversation;
  return title || derivedTitle || client.entity('session', id).get()?.label || agentOf(client, conversation)?.name || 'Conversation';
}

/** @param {any} client @param {any} row */
export const agentOf = (client, row) => (row ? client.entity('agent', row.agentId).get() : undefined);

/** @param {any} client @param {string} instanceId */
export const instanceName = (client, instanceId) => client.entity('instance', instanceId).get()?.name || instanceId;

/**
 * Who wrote something, as id and name. An answer that is being written knows its conversation only.
 *
 * @param {any} client @param {any} author @param {any} conversation
 */
export function authorOf(client, author, conversation) {
  if (author?.type === 'agent') {
    const id = client.entity('agent', author.id ?? '').get() ? author.id : (conversation?.agentId ?? author.id ?? '');
    return { id, name: client.entity('agent', id).get()?.name || author.name || 'Agent' };
  }
  if (author?.type === 'system') return { id: 'system', name: author.name || 'System' };
  const member = author?.id ? client.entity('member', author.id).get() : undefined;
  return { id: author?.id ?? '', name: member?.name || author?.name || 'Somebody' };
}

/** @param {any} client @param {any} author */
export const isSelf = (client, author) => author?.type === 'member' && Boolean(author.id) && author.id === client.self.get()?.id;

/** Sessions of an agent, the most recently active one first. @param {any} client @param {string} agentId */
export function sessionsOf(client, agentId) {
  return client.list('session', { order: '-lastActivityAt' }).get().ids
    .map((/** @type {string} */ id) => client.entity('session', id).get())
    .filter((/** @type {any} */ session) => session?.agentId === agentId);
}

/** The conversation that a click on an agent opens. @param {any} client @param {string} agentId */
export function mainConversation(client, agentId) {
  const sessions = sessionsOf(client, agentId);
  const main = sessions.find(({ key }) => key?.endsWith(':main')) ?? sessions[0];
  if (main) return main.conversationId ?? main.id;
  return client.list('conversation').get().ids.find((/** @type {string} */ id) => client.entity('conversation', id).get()?.agentId === agentId);
}

/** A steady hue for an id. @param {string} id */
export function hueOf(id) {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return hash % 12;
}

/** The words that the hub refused in a conversation, oldest first. @param {any} client @param {string} conversationId @returns {string[]} */
export const refusedIn = (client, conversationId) =>
  client.commands().get()
    .filter((/** @type {any} */ { kind, state, data }) => kind === 'message.send' && state === 'refused' && data.conversationId === conversationId)
    .map((/** @type {any} */ { data }) => data.text);

/** Whether somebody should look at a machine: it is away, or its gateway does not answer. @param {any} instance */
export const inTrouble = ({ connection, gateway }) =>
  (connection !== undefined && connection !== 'online') || (gateway?.state !== undefined && !['online', 'connecting'].includes(gateway.state));

/** Whether this person may write and decide; a viewer only looks. @param {any} client */
export const mayWrite = (client) => client.self.get()?.role !== 'viewer';

/** Whether this person manages machines and people. @param {any} client */
export const mayManage = (client) => ['admin', 'owner'].includes(client.self.get()?.role);

/** All conversations that are known, newest first. @param {any} client @returns {any[]} */
export const conversationsOf = (client) =>
  client.list('conversation', { order: '-lastMessage.sentAt' }).get().ids.map((/** @type {string} */ id) => client.entity('conversation', id).get()).filter(Boolean);

/** The entity of a type that an event wrote; what it only moved out of the live window is not meant. @param {any} event @param {string} type */
export const subjectOf = ({ effects = [] }, type) =>
  effects.find((/** @type {any} */ { op, entity }) => op !== 'evict' && entity.startsWith(`${type}/`))?.entity.slice(type.length + 1) ?? '';
