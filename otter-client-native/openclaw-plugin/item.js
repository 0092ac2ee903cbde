// What a feed item may hold: the same fields and sizes as `feed.itemAdded` of the Otter contract.

import { randomUUID } from 'node:crypto';

export const CATEGORIES = ['email', 'market', 'social', 'alert', 'custom'];
const SEVERITIES = ['info', 'warning', 'critical'];
/** Longest title, in characters. */
const MAX_TITLE = 300;
/** Longest other texts, in bytes of UTF-8. */
const MAX_BYTES = { body: 6144, from: 300, handle: 100, url: 1000, symbol: 40, price: 60, change: 60 };
const MAX_DETAIL = 4096;

const text = (description) => ({ type: 'string', description });

/** JSON Schema of what an agent passes. */
export const parameters = {
  type: 'object',
  additionalProperties: false,
  required: ['category', 'title'],
  properties: {
    category: { type: 'string', enum: CATEGORIES, description: 'What it is; decides how it is shown.' },
    title: text('One line, at most 300 characters: the subject of a mail, the headline of a move or an alert.'),
    body: text('The text, Markdown, at most 6 KiB.'),
    from: text('Who it is from: sender, author or service.'),
    handle: text("The author's name in their network, for instance @otter."),
    url: text('Where to read more; https only.'),
    severity: { type: 'string', enum: SEVERITIES, description: 'How much an alert matters.' },
    symbol: text('Symbol of a market item, for instance OTTR.'),
    price: text('Price with its currency, for instance "41.20 USD".'),
    change: text('Change with its sign, for instance "+3.4 %".'),
    detail: { type: 'object', description: 'Anything else, at most 4 KiB as JSON.' },
  },
};

/** What is wrong with the parameters, in words for the agent that sent them. */
export class BadItem extends Error {}

/**
 * Makes an item of what an agent passed. Long texts are cut and end in an ellipsis.
 *
 * @param {Record<string, unknown>} params
 * @param {{ agentId?: string }} [context] who pushes
 */
export function makeItem(params, { agentId } = {}) {
  const category = params?.category;
  if (!CATEGORIES.includes(category)) throw new BadItem(`category must be one of ${CATEGORIES.join(', ')}`);
  const title = typeof params.title === 'string' ? params.title.trim() : '';
  if (title === '') throw new BadItem('title must be a text of 1 to 300 characters');
  const item = { id: randomUUID(), ts: Date.now(), category, title: headOfChars(title, MAX_TITLE) };
  if (agentId) item.agentId = agentId;
  for (const [name, limit] of Object.entries(MAX_BYTES)) {
    const value = params[name];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') throw new BadItem(`${name} must be a text`);
    item[name] = headOfBytes(value, limit);
  }
  if (item.url !== undefined && !/^https:\/\//.test(item.url)) throw new BadItem('url must begin with https://');
  if (params.severity !== undefined) {
    if (!SEVERITIES.includes(params.severity)) throw new BadItem(`severity must be one of ${SEVERITIES.join(', ')}`);
    item.severity = params.severity;
  }
  if (params.detail !== undefined) {
    const detail = JSON.stringify(params.detail);
    if (Buffer.byteLength(detail) > MAX_DETAIL) throw new BadItem('detail must be at most 4 KiB as JSON');
    item.detail = detail;
  }
  return item;
}

function headOfChars(value, limit) {
  const chars = [...value];
  return chars.length <= limit ? value : `${chars.slice(0, limit - 1).join('')}…`;
}

function headOfBytes(value, limit) {
  if (Buffer.byteLength(value) <= limit) return value;
  const mark = '…';
  let bytes = Buffer.byteLength(mark);
  let head = '';
  for (const char of value) {
    bytes += Buffer.byteLength(char);
    if (bytes > limit) break;
    head += char;
  }
  return head + mark;
}
