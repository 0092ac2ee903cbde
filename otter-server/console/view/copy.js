import { announce } from '../announce.js';
import { attribute } from '../dom.js';

const SHOWN_MS = 1600;

/** Copies a text, and shows at the button that it was done. @param {any} button @param {string} words */
export async function copyText(button, words) {
  const done = await writeToClipboard(words);
  attribute(button, 'data-copied', done ? 'yes' : 'no');
  announce(done ? 'Copied' : 'This browser does not let the page copy');
  setTimeout(() => attribute(button, 'data-copied', null), SHOWN_MS);
}

/** @param {string} words @returns {Promise<boolean>} */
export async function writeToClipboard(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    return writeTheOldWay(words);
  }
}

/** Where there is no clipboard for pages, as on http addresses of a network. @param {string} words */
function writeTheOldWay(words) {
  const box = document.createElement('textarea');
  const before = /** @type {any} */ (document.activeElement);
  box.value = words;
  box.className = 'unseen';
  document.body.append(box);
  box.select();
  const done = document.execCommand('copy');
  box.remove();
  before?.focus?.({ preventScroll: true });
  return done;
}
