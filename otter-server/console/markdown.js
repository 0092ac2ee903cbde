import { h, icon } from './dom.js';
import { inline, links } from './inline.js';
import { patch } from './patch.js';
import { copyText } from './view/copy.js';

/**
 * Shows text with a little Markdown as DOM nodes. What did not change since the last call keeps its nodes, so that a
 * text that grows only touches its end.
 *
 * @param {any} container
 * @param {string} source
 * @param {boolean} [open] whether more is to come: what its last block begins counts as ended
 */
export function showMarkdown(container, source, open = false) {
  const old = container.otterBlocks ?? [];
  const blocks = split(source);
  if (blocks.length > 0) blocks[blocks.length - 1].open = open;
  const kept = [];
  blocks.forEach((block, at) => {
    const was = old[at];
    const same = was && was.kind === block.kind && was.source === block.source && was.open === block.open;
    const node = same || (was && grow(was, block)) ? was.node : redraw(was, block);
    if (!was) container.append(node, '');
    else if (node !== was.node) was.node.replaceWith(node);
    kept.push({ ...block, node });
  });
  for (const { node } of old.slice(blocks.length)) {
    node.nextSibling?.remove();
    node.remove();
  }
  // The white space between blocks is kept as text: copying gives what was written.
  for (const { node, after } of kept) separate(node, after);
  container.otterBlocks = kept;
}

/** Shows text as it is, with links. @param {any} container @param {string} source */
export function showPlain(container, source) {
  if (container.otterText === source) return;
  container.otterText = source;
  container.replaceChildren(h('div', { class: 'block' }, ...links(source)));
}

/** @param {any} node @param {string} after */
function separate(node, after) {
  const next = node.nextSibling;
  if (next?.nodeType === Node.TEXT_NODE) next.data === after || (next.data = after);
  else node.after(after);
}

/** A block of the same kind keeps its nodes as far as they fit: a selection in it and the place it is scrolled to stay. @param {any} was @param {any} block */
function redraw(was, block) {
  const next = RENDER[block.kind](block);
  return was && was.kind === block.kind && patch(was.node, next) ? was.node : next;
}

/** A paragraph of plain words that got longer. @param {any} was @param {any} block */
function grow(was, block) {
  const words = was.node.firstChild;
  if (was.kind !== 'paragraph' || block.kind !== 'paragraph' || was.node.childNodes.length !== 1 || words.nodeType !== Node.TEXT_NODE) return false;
  if (!block.source.startsWith(was.source) || SPECIAL.test(block.source)) return false;
  words.appendData(block.source.slice(was.source.length));
  return true;
}

const COPY = 'M7 7h9.5v9.5H7zM4 13V3.5h9.5';
const SPECIAL = /[`*_[~\\]|https?:/;
// No part of an expression takes what the next one could: a line of any length is read once.
const FENCE = /^ {0,3}(`{3,}(?!`)|~{3,}(?!~))[ \t]*(?![ \t])([\w+#.-]*)(?![\w+#.-])[^`]*$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;
// A last line that may become a heading, an item or a table.
const BEGUN = /(?:^|\n)[ \t]*(?:#{1,6}|[-*+>]|\d{1,9}[.)]?|\|[^\n]*)[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;

/** @param {string} source @returns {{ kind: string, source: string, after: string, open: boolean }[]} */
function split(source) {
  const lines = source.split('\n');
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const from = at;
    const kind = kindOf(lines, at);
    at = endOf(kind, lines, at);
    const end = at;
    while (at < lines.length && lines[at].trim() === '') at += 1;
    const gap = lines.slice(end, at);
    const after = at < lines.length ? '\n' + gap.map((line) => `${line}\n`).join('') : gap.map((line) => `\n${line}`).join('');
    blocks.push({ kind, source: lines.slice(from, end).join('\n'), after, open: false });
  }
  return blocks;
}

/** @param {string[]} lines @param {number} at */
function kindOf(lines, at) {
  const line = lines[at];
  if (FENCE.test(line)) return 'fence';
  if (HEADING.test(line)) return 'heading';
  if (RULE.test(line)) return 'rule';
  if (ITEM.test(line)) return 'list';
  if (QUOTE.test(line)) return 'quote';
  if (line.includes('|') && isRule(lines[at + 1] ?? '')) return 'table';
  return 'paragraph';
}

/** The line below the head of a table; while it is written its beginning is enough. @param {string} line */
const isRule = (line) => /^[\s|:-]*$/.test(line) && line.includes('|') && (line.trimStart().startsWith('|') || line.includes('--'));

/** The line after a block. @param {string} kind @param {string[]} lines @param {number} from */
function endOf(kind, lines, from) {
  let at = from + 1;
  if (kind === 'heading' || kind === 'rule') return at;
  if (kind === 'fence') {
    const [, mark] = /** @type {RegExpExecArray} */ (FENCE.exec(lines[from]));
    while (at < lines.length && !(lines[at].trim().startsWith(mark) && lines[at].trim().replaceAll(mark[0], '') === '')) at += 1;
    return Math.min(at + 1, lines.length);
  }
  while (at < lines.length && lines[at].trim() !== '') {
    const next = kindOf(lines, at);
    if (kind === 'paragraph' && next !== 'paragraph') break;
    if (kind === 'list' && next !== 'list' && !(next === 'paragraph' && /^\s{2,}/.test(lines[at]))) break;
    if (kind === 'quote' && next !== 'quote') break;
    if (kind === 'table' && !lines[at].includes('|')) break;
    at += 1;
  }
  return at;
}

/** @type {Record<string, (block: { source: string, open: boolean }) => any>} */
const RENDER = {
  paragraph: ({ source, open }) => h('div', { class: 'block' }, ...inline(open ? source.replace(BEGUN, '') : source, open)),
  heading({ source, open }) {
    const [, marks, words] = /** @type {RegExpExecArray} */ (HEADING.exec(source));
    return h('div', { class: 'block heading', role: 'heading', 'aria-level': Math.min(6, marks.length + 2) }, ...inline(words, open));
  },
  rule: () => h('hr'),
  quote: ({ source, open }) => h('blockquote', {}, ...inline(source.replace(/^>\s?/gm, ''), open)),
  fence({ source, open }) {
    const lines = source.split('\n');
    const [, mark, language] = /** @type {RegExpExecArray} */ (FENCE.exec(lines[0]));
    const last = lines.at(-1)?.trim() ?? '';
    const closed = lines.length > 1 && (last.startsWith(mark) || (open && last !== '' && mark.startsWith(last)));
    const code = lines.slice(1, closed ? -1 : undefined).join('\n');
    return h('div', { class: 'code-block', 'data-language': language || null }, h('pre', { tabIndex: 0 }, h('code', {}, code)),
      h('button', { type: 'button', class: 'quiet copy', 'aria-label': 'Copy the code', title: 'Copy the code', onclick: copyCode }, icon(COPY)));
  },
  list({ source, open }) {
    const items = [];
    for (const line of source.split('\n')) {
      const found = ITEM.exec(line);
      if (found) items.push({ depth: Math.min(4, Math.floor(found[1].length / 2)), ...bullet(found[2], found[3]) });
      else items[items.length - 1].words += `\n${line.trim()}`;
    }
    return h('ul', {}, ...items.map(({ depth, mark, words }, at) => h('li', { 'data-depth': depth, 'data-mark': mark }, ...inline(words, open && at === items.length - 1))));
  },
  table({ source, open }) {
    const [head, rule, ...body] = source.split('\n').map((line) => line.trim().replace(/^\||(?<!\\)\|$/g, '').split(/(?<!\\)\|/));
    const sides = rule.map((cell) => (/^\s*:-+:\s*$/.test(cell) ? 'center' : /:\s*$/.test(cell) ? 'end' : null));
    const row = (/** @type {string[]} */ cells, /** @type {string} */ tag, isLast = false) =>
      h('tr', {}, ...cells.map((cell, at) => h(tag, { 'data-side': sides[at] }, ...inline(cell.trim().replaceAll('\\|', '|'), isLast && at === cells.length - 1))));
    const rows = body.map((cells, at) => row(cells, 'td', open && at === body.length - 1));
    return h('div', { class: 'table', tabIndex: 0 }, h('table', {}, h('thead', {}, row(head, 'th')), h('tbody', {}, ...rows)));
  },
};

/** @param {string} mark @param {string} words */
function bullet(mark, words) {
  const task = /^\[([ xX])\]\s+(.*)$/s.exec(words);
  if (task) return { mark: task[1] === ' ' ? '☐' : '☑', words: task[2] };
  return { mark: /\d/.test(mark) ? mark.replace(')', '.') : '•', words };
}

/** @param {Event} event */
function copyCode({ currentTarget: button }) {
  copyText(button, /** @type {any} */ (button).closest('.code-block').querySelector('code').textContent);
}
