import { attribute, h, icon, show, text } from '../dom.js';
import { timeOfDay, took } from '../words.js';

const ICONS = /** @type {Record<string, string>} */ ({
  completed: 'M4.5 10.5 8.5 14.5 15.5 6',
  failed: 'M5.5 5.5l9 9M14.5 5.5l-9 9',
  denied: 'M10 3.2a6.8 6.8 0 1 0 0 13.6a6.8 6.8 0 1 0 0-13.6M5.3 5.3l9.4 9.4',
  aborted: 'M6 6h8v8H6z',
});
const STATUS = /** @type {Record<string, string>} */ ({ completed: 'done', failed: 'failed', denied: 'denied', aborted: 'stopped' });

/** One tool call: what was done, how it went, and the head of its output behind a click. @param {string} id */
export function stepRow(id) {
  const mark = h('span', { class: 'step-mark' });
  const said = h('span', { class: 'unseen' });
  const tool = h('span', { class: 'step-tool' });
  const title = h('span', { class: 'step-title' });
  const exit = h('span', { class: 'step-exit' });
  const time = h('span', { class: 'step-time' });
  const whole = h('p', { class: 'step-whole' });
  const error = h('p', { class: 'step-error' });
  const output = h('pre', { class: 'step-output', tabIndex: 0, 'aria-label': 'Output' }, h('code'));
  const more = h('p', { class: 'step-more' });
  const element = h('details', { class: 'step', 'data-testid': 'step-row', 'data-step-id': id, ontoggle: paintWhole },
    h('summary', {}, mark, said, tool, title, exit, time), h('div', { class: 'step-body' }, whole, error, output, more));
  /** @type {any} */
  let shown;

  /** @param {any} step */
  function update(step) {
    if (step === shown) return;
    shown = step;
    attribute(element, 'data-status', step.status);
    attribute(element, 'data-run-id', step.runId);
    attribute(element, 'data-approval-id', step.approvalId);
    mark.replaceChildren(icon(ICONS[step.status] ?? ICONS.completed));
    text(said, `${STATUS[step.status] ?? step.status}: `);
    text(tool, step.name);
    text(title, oneLine(step.title ?? ''));
    text(exit, step.exitCode ? `exit ${step.exitCode}` : '');
    text(time, step.durationMs === undefined ? '' : took(step.durationMs));
    time.title = [step.startedAt && `began ${timeOfDay(step.startedAt)}`, step.endedAt && `ended ${timeOfDay(step.endedAt)}`].filter(Boolean).join(', ');
    paintBody(step);
  }

  /** @param {any} step */
  function paintBody({ title: words = '', error: why, outputHead, outputTruncated, exitCode, status }) {
    text(whole, words);
    paintWhole();
    text(error, why ?? '');
    show(error, Boolean(why));
    text(output.firstChild, outputHead ?? '');
    show(output, Boolean(outputHead));
    const facts = [exitCode === undefined ? '' : `exit code ${exitCode}`, outputTruncated ? 'the output went on: this is its beginning' : outputHead || why ? '' : status === 'completed' ? 'no output' : ''];
    text(more, facts.filter(Boolean).join(' · '));
    show(more, Boolean(more.textContent));
  }

  /** The title is told in full where its line had no room for it. */
  function paintWhole() {
    show(whole, element.open && (title.scrollWidth > title.clientWidth || whole.textContent.includes('\n')));
  }

  return { element, update };
}

/** @param {string} words */
const oneLine = (words) => words.replace(/\s*\n\s*/g, ' ⏎ ');
