import { span } from './words.js';

/** Heartbeats come every 15 s: after three that did not come, it is silent. */
const SILENT_MS = 45_000;
const NEW_MS = 5000;

/**
 * For how long a machine that is online has been silent, 0 while that is not remarkable. While this page hears nothing
 * itself it knows nothing of others.
 *
 * @param {any} client @param {{ connection?: string, heardAt: number | null }} instance
 */
export function silence(client, { connection, heardAt }) {
  const { phase, since } = client.connection.get();
  const listening = phase === 'online' && Date.now() - since > SILENT_MS;
  const ms = heardAt === null ? 0 : client.now() - heardAt;
  return connection === 'online' && listening && ms > SILENT_MS ? ms : 0;
}

/**
 * What an agent says about itself and for how long it has said so; nothing when it says nothing. What cannot be followed
 * is what it said when it was last seen.
 *
 * @param {any} client @param {any} agent
 */
export function saysOf(client, agent) {
  if (!agent?.status) return '';
  const there = client.connection.get().phase === 'online' && client.entity('instance', agent.instanceId).get()?.connection === 'online';
  const ms = client.now() - Date.parse(agent.statusAt);
  const since = !there ? ' when last seen' : Number.isNaN(ms) ? '' : ms < NEW_MS ? ' just now' : ` for ${span(ms)}`;
  return [agent.status + since, agent.statusText].filter(Boolean).join(' · ');
}
