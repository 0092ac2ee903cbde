import { attribute, h, text } from '../dom.js';
import { room } from '../limits.js';

let count = 0;

/** A labelled field. @param {string} label @param {any} input @param {string} [hint] */
export function field(label, input, hint) {
  return h('label', { class: 'field' }, h('span', { class: 'field-label' }, label), input, hint ? h('span', { class: 'field-hint' }, hint) : null);
}

/**
 * A labelled field whose text has a limit. What is left is said beside its name once it is little; a text that is too
 * long stays in the field, and its form is not sent.
 *
 * @param {string} label @param {any} input @param {import('../limits.js').Limit} limit @param {string} [hint]
 */
export function limitedField(label, input, limit, hint) {
  // What is left describes the field and is no part of its name.
  const left = h('span', { class: 'field-left', id: `field-left-${(count += 1)}`, 'aria-hidden': 'true' });
  const told = h('span', { class: 'unseen', role: 'status' });
  const labelled = field(label, input, hint);
  labelled.firstElementChild.append(left);
  attribute(input, 'aria-describedby', left.id);

  function check() {
    const { fits, words } = room(input.value.trim(), limit);
    text(left, words);
    attribute(input, 'aria-invalid', fits ? null : 'true');
    input.setCustomValidity(fits ? '' : `${words}.`);
    // Once, when it becomes too long, not at each key.
    if (fits) text(told, '');
    else if (!told.textContent) text(told, `${label}: ${words}.`);
  }

  input.addEventListener('input', check);
  check();
  return h('div', { class: 'field-limited' }, labelled, told);
}

/**
 * Inputs of something that goes on changing elsewhere: those that nobody touched here follow it.
 *
 * @param {Record<string, any>} inputs by name
 */
export function createFollowing(inputs) {
  /** @type {Record<string, string>} what each was filled with */
  const filled = {};
  /** @type {Record<string, string>} what was asked for and has no answer */
  const asked = {};
  const isTouched = (/** @type {string} */ name) => name in filled && inputs[name].value !== (asked[name] ?? filled[name]);
  return {
    isTouched,
    /** @param {Record<string, string>} values what there is now */
    follow(values) {
      for (const [name, value] of Object.entries(values)) {
        if (name in asked || isTouched(name)) continue;
        if (inputs[name].value !== value) refill(inputs[name], value);
        // As the browser keeps it: an input has no line breaks of its own.
        filled[name] = inputs[name].value;
      }
    },
    /**
     * What is in some of them is asked for. What is refused stays as it was written.
     *
     * @param {string[]} names @returns {(taken: boolean) => void} hears the answer
     */
    ask(names) {
      const values = Object.fromEntries(names.map((name) => [name, inputs[name].value]));
      Object.assign(asked, values);
      return (taken) => {
        if (taken) Object.assign(filled, values);
        for (const name of names) if (asked[name] === values[name]) delete asked[name];
      };
    },
  };
}

/** The caret stays where it is, and who listens to typing hears of it. @param {any} input @param {string} value */
function refill(input, value) {
  const { selectionStart, selectionEnd } = input;
  input.value = value;
  if (input === document.activeElement && selectionStart !== undefined) input.setSelectionRange(selectionStart, selectionEnd);
  input.dispatchEvent(new Event('input', { bubbles: true }));
}
