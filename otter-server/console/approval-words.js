/** What there is to say about an approval. */

import { isSelf } from './model.js';

/** @param {any} approval @returns {'pending' | 'decided' | 'resolved' | 'expired'} */
export const stateOf = (approval) => approval.state;

/** Whether it still waits for somebody: a person, or the gateway's word after a person answered. @param {any} approval */
export const isOpen = ({ state }) => state === 'pending' || state === 'decided';

/** @param {any} client @param {any} approval @param {string} [otherwise] */
export function deciderOf(client, { by, resolvedBy }, otherwise = 'Somebody') {
  if (by && isSelf(client, by)) return 'You';
  const member = by?.id ? client.entity('member', by.id).get() : undefined;
  return member?.name ?? by?.name ?? (resolvedBy ? `${resolvedBy} (outside of Otter)` : otherwise);
}

const DECIDED = /** @type {Record<string, string>} */ ({
  'allow-once': 'allowed it once', 'allow-always': 'allowed it for good', deny: 'denied it',
});

/** What became of it, in a sentence; empty while it waits for a person. @param {any} client @param {any} approval @param {string} machine its name */
export function endOf(client, approval, machine) {
  const { state, decision, outcome, local, reason } = approval;
  const who = deciderOf(client, approval);
  const did = DECIDED[decision] ?? 'answered';
  switch (state) {
    case 'decided':
      if (local?.stage === 'held') return `${who} ${did}. It goes out when the connection is back.`;
      if (local?.stage === 'sent') return `${who} ${did}. Telling the hub…`;
      return `${who} ${did}. Waiting for the gateway of ${machine}.`;
    case 'resolved':
      if (outcome === 'cancelled') return `Called off: ${REASONS[reason] ?? reason ?? 'the run that asked has ended'}. Nothing ran.`;
      if (outcome === 'denied') return `${who} denied it. Nothing ran.`;
      return `${who} ${decision === 'allow-always' ? 'allowed it for good' : decision === 'allow-once' ? 'allowed it once' : 'allowed it'}.`;
    case 'expired':
      return 'Nobody answered in time. Nothing ran.';
    default:
      return '';
  }
}

const REASONS = /** @type {Record<string, string>} */ ({ 'run-aborted': 'the run that asked was stopped' });

/** Why an answer did not count, in a sentence. @param {any} approval */
export function refusalOf({ local }) {
  if (local?.stage !== 'refused') return '';
  const { code, message } = local.error ?? {};
  switch (code) {
    case 'alreadyDecided':
      return `Your answer did not count: ${message ?? 'someone else decided first'}.`;
    case 'changed':
      return 'This changed while your answer was on its way. Look at it again: this is what is asked now.';
    case 'alreadyEnded':
    case 'expired':
      return 'Your answer came too late: this had ended before.';
    case 'unavailable':
      return 'Not connected: your answer was not sent. Answer again when the connection is back.';
    default:
      return `Your answer was refused: ${message ?? code ?? 'the hub gave no reason'}`;
  }
}

/** What a person decides about: when any of it changes they look again. @param {any} approval */
export const contentOf = ({ command, host, warning, allowedDecisions, agentId, instanceId }) =>
  JSON.stringify([command, host, warning, allowedDecisions, agentId, instanceId]);
