import { h, icon } from './dom.js';
import { patch } from './patch.js';
import { copyText } from './view/copy.js';

/**
 * Shows text with a little Markdown as DOM nodes. What did not change since the last call keeps its nodes, so that a
 * text that grows only touches its end.
 *
 * @param {any} container
 * @param {string} source
 */
export function showMarkdown(container, source) {
  const old = container.otterBlocks ?? [];
  const blocks = split(source);
  const kept = [];
  blocks.forEach((block, at) => {
    const was = old[at];
    const same = was && was.kind === block.kind && was.source === block.source;
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
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^>\s?(.*)$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
// The line below the head of a table; while it is written its beginning is enough.
const TABLE = /^\s*\|[\s|:-]*$|^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)+\|?\s*$/;

/** @param {string} source @returns {{ kind: string, source: string, after: string }[]} */
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
    blocks.push({ kind, source: lines.slice(from, end).join('\n'), after });
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
  if (line.includes('|') && TABLE.test(lines[at + 1] ?? '')) return 'table';
  return 'paragraph';
}

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

/** @type {Record<string, (block: { source: string }) => any>} */
const RENDER = {
  paragraph: ({ source }) => h('div', { class: 'block' }, ...inline(source)),
  heading({ source }) {
    const [, marks, words] = /** @type {RegExpExecArray} */ (HEADING.exec(source));
    return h('div', { class: 'block heading', role: 'heading', 'aria-level': Math.min(6, marks.length + 2) }, ...inline(words));
  },
  rule: () => h('hr'),
  quote: ({ source }) => h('blockquote', {}, ...inline(source.replace(/^>\s?/gm, ''))),
  fence({ source }) {
    const lines = source.split('\n');
    const [, mark, language] = /** @type {RegExpExecArray} */ (FENCE.exec(lines[0]));
    const closed = lines.length > 1 && lines.at(-1)?.trim().startsWith(mark);
    const code = lines.slice(1, closed ? -1 : undefined).join('\n');
    return h('div', { class: 'code-block', 'data-language': language || null }, h('pre', { tabIndex: 0 }, h('code', {}, code)),
      h('button', { type: 'button', class: 'quiet copy', 'aria-label': 'Copy the code', title: 'Copy the code', onclick: copyCode }, icon(COPY)));
  },
  list({ source }) {
    const items = [];
    for (const line of source.split('\n')) {
      const found = ITEM.exec(line);
      if (found) items.push({ depth: Math.min(4, Math.floor(found[1].length / 2)), ...bullet(found[2], found[3]) });
      else items[items.length - 1].words += `\n${line.trim()}`;
    }
    return h('ul', {}, ...items.map(({ depth, mark, words }) => h('li', { 'data-depth': depth, 'data-mark': mark }, ...inline(words))));
  },
  table({ source }) {
    const [head, rule, ...body] = source.split('\n').map((line) => line.trim().replace(/^\||(?<!\\)\|$/g, '').split(/(?<!\\)\|/));
    const sides = rule.map((cell) => (/^\s*:-+:\s*$/.test(cell) ? 'center' : /:\s*$/.test(cell) ? 'end' : null));
    const row = (/** @type {string[]} */ cells, /** @type {string} */ tag) =>
      h('tr', {}, ...cells.map((cell, at) => h(tag, { 'data-side': sides[at] }, ...inline(cell.trim().replaceAll('\\|', '|')))));
    return h('div', { class: 'table', tabIndex: 0 }, h('table', {}, h('thead', {}, row(head, 'th')), h('tbody', {}, ...body.map((cells) => row(cells, 'td')))));
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

const INLINE = /\\([\\`*_{}[\]()#+.!|~>-])|(`+)(.+?)\2(?!`)|\*\*(?=\S)(.+?\S?)\*\*|(?<![\w*])[*_](?=[^\s*_])([^*_\n]*[^\s*_])[*_](?![\w*])|~~(?=\S)(.+?\S?)~~|!?\[([^\]\n]+)\]\(([^\s()]+(?:\([^\s()]*\))?)\)|(https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?])/s;

/** @param {string} source @returns {(Node | string)[]} */
function inline(source) {
  const nodes = [];
  let rest = source;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index > 0) nodes.push(rest.slice(0, found.index));
    const [whole, plain, , code, bold, emphasis, struck, label, address, bare] = found;
    if (plain !== undefined) nodes.push(plain);
    else if (code !== undefined) nodes.push(h('code', {}, code));
    else if (bold !== undefined) nodes.push(h('strong', {}, ...inline(bold)));
    else if (emphasis !== undefined) nodes.push(h('em', {}, ...inline(emphasis)));
    else if (struck !== undefined) nodes.push(h('s', {}, ...inline(struck)));
    else nodes.push(link(label ?? bare, address ?? bare, whole));
    rest = rest.slice(found.index + whole.length);
  }
  if (rest) nodes.push(rest);
  return nodes;
}

const ADDRESS = /(https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?])/;

/** @param {string} source */
function links(source) {
  return source.split(ADDRESS).map((part, at) => (at % 2 ? link(part, part, part) : part)).filter((part) => part !== '');
}

/** @param {string} label @param {string} address @param {string} written shown instead when the address is not one to open */
function link(label, address, written) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return written;
  return h('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, label);
}
