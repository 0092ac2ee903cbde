import { h } from './dom.js';

/** Words inside of a block: emphasis, code and links, as nodes. */

// Each alternative looks at its own part of the text once: what an agent is made to write must not stop the page. A mark
// that is not closed within a page of text is none.
const INLINE = new RegExp(
  [
    /\\([\\`*_{}[\]()#+.!|~>-])/,
    /(?<!`)(`+)(?!`)(.{1,4000}?)(?<!`)\2(?!`)/,
    /\*\*(?=\S)(.{1,4000}?\S?)\*\*/,
    /(?<![\w*])[*_](?=[^\s*_])([^*_\n]{0,4000}[^\s*_])[*_](?![\w*])/,
    /~~(?=\S)(.{1,4000}?\S?)~~/,
    /!?\[([^[\]\n]{1,1000})\]\(([^\s()]{1,4000}(?:\([^\s()]{0,4000}\))?)\)/,
    /(https?:\/\/[^\s<>"')\]]{1,4000}[^\s<>"')\].,;:!?])/,
  ].map(({ source }) => source).join('|'),
  's',
);
// What is being written in the last line: a mark that will be closed, or the beginning of one.
const OPEN = /(?<!`)(`+)(?!`)([^`\n]*)$|\*\*(?=\S)([^\n]*)$|(?<![\w*])[*_](?=[^\s*_])([^*_\n]*)$|~~(?=\S)([^\n]*)$|!?\[[^[\]\n]{0,1000}\]?$|[*_~!]{1,2}$|\\$/;
const LINK = /!?\[([^[\]\n]{1,1000})\]\([^\s()]*$/;

/**
 * @param {string} source
 * @param {boolean} [open] whether more is to come: a mark at the end counts as closed, so that no mark is seen before it
 * becomes what it means
 * @returns {(Node | string)[]}
 */
export function inline(source, open = false) {
  const nodes = [];
  const address = open ? LINK.exec(source) : null;
  let rest = address ? source.slice(0, address.index) : source;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index > 0) nodes.push(rest.slice(0, found.index));
    const [whole, plain, , code, bold, emphasis, struck, label, target, bare] = found;
    if (plain !== undefined) nodes.push(plain);
    else if (code !== undefined) nodes.push(h('code', {}, code));
    else if (bold !== undefined) nodes.push(h('strong', {}, ...inline(bold)));
    else if (emphasis !== undefined) nodes.push(h('em', {}, ...inline(emphasis)));
    else if (struck !== undefined) nodes.push(h('s', {}, ...inline(struck)));
    else nodes.push(link(label ?? bare, target ?? bare, whole));
    rest = rest.slice(found.index + whole.length);
  }
  const begun = open && !address ? OPEN.exec(rest) : null;
  if (begun) nodes.push(rest.slice(0, begun.index), ...unclosed(begun));
  else nodes.push(rest, address?.[1] ?? '');
  return nodes.filter((node) => node !== '');
}

/** @param {RegExpExecArray} begun */
function unclosed([, , code, bold, emphasis, struck]) {
  if (code) return [h('code', {}, code)];
  if (bold) return [h('strong', {}, ...inline(bold, true))];
  if (emphasis) return [h('em', {}, ...inline(emphasis, true))];
  // Brackets may be a link or not: what comes next says it.
  return struck ? [h('s', {}, ...inline(struck, true))] : [];
}

const ADDRESS = /(https?:\/\/[^\s<>"')\]]{1,4000}[^\s<>"')\].,;:!?])/;

/** Plain words with their links. @param {string} source */
export function links(source) {
  return source.split(ADDRESS).map((part, at) => (at % 2 ? link(part, part, part) : part)).filter((part) => part !== '');
}

/** @param {string} label @param {string} address @param {string} written shown instead when the address is not one to open */
function link(label, address, written) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return written;
  return h('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, label);
}
