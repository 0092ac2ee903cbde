import { endOf } from '../approval-words.js';
import { attribute, h, icon, show, text } from '../dom.js';
import { instanceName } from '../model.js';
import { inPlainSight } from './plain-sight.js';
import { timeOfDay } from '../words.js';

const SHIELD = 'M10 2.8l6 2.2v4.6c0 3.7-2.5 6.3-6 7.6-3.5-1.3-6-3.9-6-7.6V5z';

/** What became of an approval, in a line of its conversation; the whole command behind a click. @param {any} client @param {string} id */
export function approvalRecord(client, id) {
  const words = h('span', { class: 'record-words', 'data-testid': 'approval-state' });
  const command = h('code', { class: 'step-title' });
  const time = h('time', { class: 'step-time' });
  const box = h('pre', { class: 'step-output', tabIndex: 0, 'aria-label': 'Command' }, h('code'));
  const warning = h('p', { class: 'step-more' });
  const element = h('details', { class: 'step record', 'data-testid': 'approval-card', 'data-approval-id': id },
    h('summary', {}, h('span', { class: 'step-mark' }, icon(SHIELD)), words, command, time), h('div', { class: 'step-body' }, box, warning));
  /** @type {any} */
  let shown;

  /** @param {any} approval */
  function update(approval) {
    if (approval === shown) return;
    shown = approval;
    attribute(element, 'data-state', approval.state);
    attribute(element, 'data-outcome', approval.outcome);
    attribute(element, 'data-decision', approval.decision);
    text(words, endOf(client, approval, instanceName(client, approval.instanceId)));
    text(command, approval.command.split('\n')[0]);
    box.firstChild.replaceChildren(...inPlainSight(approval.command));
    const at = approval.decidedAt ?? approval.resolvedAt;
    text(time, at ? timeOfDay(at) : '');
    text(warning, [approval.warning, approval.host && `asked for ${approval.host}`].filter(Boolean).join(' · '));
    show(warning, Boolean(warning.textContent));
  }

  return { element, update };
}
