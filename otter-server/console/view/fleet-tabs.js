import { h, keyed, show, text, watch } from '../dom.js';
import { instanceName } from '../model.js';
import { link } from '../route.js';
import { age } from '../seconds.js';
import { moment, took } from '../words.js';
import { olderRows } from './older.js';

const COLUMNS = 8;

/** What agents and jobs did beside conversations. @param {any} client */
export const activityTab = (client) => rowsTab(client, client.list('activity', { order: '-occurredAt' }), 'activity', activityRow, 'Nothing recorded yet. Jobs, hooks and deploys of your machines appear here by themselves.');

/** Pushes to repositories. @param {any} client */
export const pushesTab = (client) => rowsTab(client, client.list('repo', { order: '-pushedAt' }), 'repo', pushRow, 'No push seen yet.');

/** @param {any} client @param {any} store @param {string} type @param {(client: any, item: any) => any} make @param {string} nothing */
function rowsTab(client, store, type, make, nothing) {
  const list = h('div', { class: 'log', role: 'list', 'data-walk': '', 'data-testid': `${type}-list` });
  const empty = h('div', { class: 'empty' });
  const older = olderRows(() => store.get());
  const rows = keyed(list, (id) => ({ element: make(client, client.entity(type, id).get()) }));
  const end = watch(store, ({ ids, loading }) => {
    rows.set(ids.map((/** @type {string} */ key) => ({ key })));
    show(empty, ids.length === 0);
    text(empty, loading ? 'Loading…' : nothing);
    older.paint();
  });
  return { element: h('div', { class: 'fleet-narrow' }, list, empty, older.element), end: () => (end(), rows.end(), older.end()) };
}

/** @param {any} client @param {any} item */
function activityRow(client, { id, category, title, status, detail, durationMs, agentId, instanceId, conversationId, occurredAt }) {
  const agent = agentId && client.entity('agent', agentId).get()?.name;
  const place = [agent, instanceId && instanceName(client, instanceId)].filter(Boolean).join(' on ');
  return logRow({ id, kind: 'activity', at: occurredAt, chip: category, title, status,
    sub: [place, typeof durationMs === 'number' && `took ${took(durationMs)}`].filter(Boolean).join(' · '),
    action: conversationId ? h('a', { class: 'chip', href: link('conversations', conversationId) }, 'Conversation') : null,
    body: detail ? [h('p', { class: 'log-detail' }, detail)] : [] });
}

/** @param {any} _ @param {any} item */
function pushRow(_, { id, repository, branch, commits = [], commitCount, by, url, pushedAt }) {
  const count = commitCount ?? commits.length;
  const more = count - commits.length;
  const address = /^https:\/\//i.test(url ?? '') ? url : null;
  return logRow({ id, kind: 'repo', at: pushedAt, chip: branch, title: repository,
    sub: [by, count > 0 && `${count} ${count === 1 ? 'commit' : 'commits'}`].filter(Boolean).join(' · '),
    action: address ? h('a', { class: 'chip', href: address, target: '_blank', rel: 'noopener noreferrer' }, 'Look') : null,
    body: commits.length > 0 ? [h('ul', { class: 'log-commits' }, ...commits.map((/** @type {any} */ each) => h('li', {}, h('code', {}, each.id.slice(0, 7)), ' ', each.title, each.author ? h('span', { class: 'age' }, ` ${each.author}`) : null)), more > 0 ? h('li', { class: 'age' }, `and ${more} more`) : null)] : [] });
}

/** @param {{ id: string, kind: string, at: string, chip: string, title: string, sub: string, status?: string, action: any, body: any[] }} row */
function logRow({ id, kind, at, chip, title, sub, status, action, body }) {
  const when = h('time', { class: 'age' });
  age(when, at);
  return h('article', { class: 'log-row', role: 'listitem', tabIndex: 0, 'data-walk-row': '', 'data-testid': `${kind}-row`, 'data-id': id, 'data-status': status ?? null },
    h('div', { class: 'log-head' }, h('span', { class: 'log-chip' }, chip), h('h3', {}, title), status ? h('span', { class: 'log-status' }, status) : null, h('span', { class: 'spacer' }), when),
    h('div', { class: 'log-sub' }, h('span', {}, sub), h('span', { class: 'spacer' }), action), ...body);
}

/** Entities that only integrators know, as they are: one table for each type. @param {any} client */
export function dataTab(client) {
  const tables = h('div', {});
  const empty = h('div', { class: 'empty' }, 'No integrator keeps data here yet. What they publish under x.<vendor>.<name> appears here by itself.');
  const rows = keyed(tables, (type) => vendorTable(client, type));
  const end = watch(client.types(), (types) => {
    const theirs = types.filter((/** @type {string} */ type) => type.startsWith('x.'));
    rows.set(theirs.map((/** @type {string} */ key) => ({ key })));
    show(empty, theirs.length === 0);
  });
  return { element: h('div', {}, tables, empty), end: () => (end(), rows.end()) };
}

/** @param {any} client @param {string} type */
function vendorTable(client, type) {
  const store = client.list(type);
  const head = h('tr');
  const body = h('tbody');
  const older = olderRows(() => store.get());
  const count = h('span', { class: 'count' });
  const element = h('section', { class: 'vendor', 'data-testid': 'vendor-table', 'data-type': type },
    h('h2', {}, h('code', {}, type), ' ', count), h('div', { class: 'table-box', tabIndex: 0, role: 'region', 'aria-label': type }, h('table', {}, h('thead', {}, head), body)), older.element);
  /** @type {string[]} */
  let columns = [];
  const rows = keyed(body, (id) => vendorRow(client, type, id, () => columns, paint));

  function paint() {
    const { ids } = store.get();
    const entities = ids.map((/** @type {string} */ id) => client.entity(type, id).get()).filter(Boolean);
    const next = columnsOf(entities);
    if (next.join() !== columns.join()) head.replaceChildren(...['id', 'machine', ...(columns = next)].map((name) => h('th', { scope: 'col' }, name)));
    rows.set(ids.map((/** @type {string} */ key) => ({ key, item: null })));
    text(count, String(ids.length));
    older.paint();
  }
  const end = watch(store, paint);
  return { element, end: () => (end(), rows.end(), older.end()) };
}

/** The fields that most rows have come first. @param {any[]} entities */
function columnsOf(entities) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const entity of entities) for (const name of Object.keys(entity)) if (name !== 'id' && name !== 'local') found.set(name, (found.get(name) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, COLUMNS).map(([name]) => name);
}

/** @param {any} client @param {string} type @param {string} id @param {() => string[]} columns @param {() => void} changed called when there may be another field */
function vendorRow(client, type, id, columns, changed) {
  const element = h('tr', { 'data-entity-id': id });
  // The id of an entity begins with that of its machine.
  const [owner, rest] = id.includes(':') ? [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)] : ['', ''];
  let shown = '';
  const paint = () => {
    const entity = client.entity(type, id).get() ?? {};
    const values = columns().map((name) => cell(entity[name]));
    const machine = instanceName(client, owner);
    if (shown === (shown = JSON.stringify([columns(), values, machine]))) return;
    element.replaceChildren(h('th', { scope: 'row', title: id }, h('code', {}, rest || id)), h('td', { class: 'vendor-machine' }, rest ? machine : ''), ...values.map(([words, whole]) => h('td', { title: whole }, words)));
  };
  const end = client.entity(type, id).subscribe(() => (changed(), paint()));
  return { element, end, update: paint };
}

/** What a cell shows of a value, and all of it. @param {any} value @returns {[string, string]} */
function cell(value) {
  if (value === undefined || value === null) return ['', ''];
  const whole = typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(whole)) return [whole, whole];
  const at = new Date(whole);
  return [moment(whole, Date.now()), at.toLocaleString()];
}
