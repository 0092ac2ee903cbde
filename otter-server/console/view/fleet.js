import { choose, h, keyed, show, text, watch } from '../dom.js';
import { inTrouble } from '../model.js';
import { copy } from '../notices.js';
import { link } from '../route.js';
import { openDialog } from './dialog.js';
import { fleetCard } from './fleet-card.js';
import { activityTab, dataTab, pushesTab } from './fleet-tabs.js';
import { page } from './page.js';

const TABS = /** @type {const} */ ([[null, 'Machines'], ['activity', 'Activity'], ['pushes', 'Pushes'], ['data', 'Integrators']]);

/**
 * The machines of the org, what happened on them, and what integrators keep here.
 *
 * @param {any} client @param {ReturnType<import('../route.js').createRoute>} route @param {any} shell
 */
export function fleetPage(client, route, shell) {
  const add = h('button', { type: 'button', class: 'plain', 'data-testid': 'fleet-add', onclick: addMachine }, 'Add a machine');
  const links = TABS.map(([name, words]) => ({ name, element: h('a', { class: 'chip', href: link('fleet', name), 'data-testid': 'fleet-tab', 'data-tab': name ?? 'machines' }, words) }));
  const chips = h('nav', { class: 'chips', 'aria-label': 'Parts of the fleet' }, ...links.map((each) => each.element));
  const body = h('div', { class: 'fleet-body' });
  const frame = page(client, shell, { name: 'fleet', title: 'Fleet', actions: [add], below: [chips] }, body);
  const makers = { activity: activityTab, pushes: pushesTab, data: dataTab };
  /** @type {{ element: any, end(): void } | null} */
  let tab = null;

  frame.ends.add(watch(client.instances(), ({ rows, loading }) => frame.note(loading && rows.length === 0 ? 'Looking for machines…' : howMany(rows))), () => tab?.end());
  return {
    ...frame,
    /** @param {string | null} id a tab */
    show(id) {
      for (const { name, element } of links) choose(element, 'aria-current', name === id ? 'page' : null);
      tab?.end();
      tab = (makers[/** @type {keyof typeof makers} */ (id)] ?? machinesTab)(client, route);
      body.replaceChildren(tab.element);
      frame.scroller.scrollTop = 0;
    },
  };
}

/** @param {any[]} rows */
function howMany(rows) {
  if (rows.length === 0) return '';
  const troubled = rows.filter(inTrouble).length;
  const machines = `${rows.length} ${rows.length === 1 ? 'machine' : 'machines'}`;
  return troubled === 0 ? `${machines}, all well` : `${machines}, ${troubled} ${troubled === 1 ? 'needs' : 'need'} a look`;
}

/** @param {any} client @param {any} route */
function machinesTab(client, route) {
  const grid = h('div', { class: 'fleet', 'data-walk': '' });
  const empty = h('div', { class: 'empty', 'data-testid': 'fleet-empty' });
  const element = h('div', {}, grid, empty);
  const rows = keyed(grid, (id) => fleetCard(client, route, id));
  const end = watch(client.instances(), ({ rows: instances, loading }) => {
    rows.set(instances.map((/** @type {any} */ item) => ({ key: item.id, item })));
    show(empty, instances.length === 0);
    text(empty, loading ? 'Looking for machines…' : 'No machine is connected yet. Add the one that runs your agents.');
  });
  return { element, end: () => (end(), rows.end()) };
}

/** How a machine comes into the fleet. */
export function addMachine() {
  const address = new URL('ws/openclaw', new URL('.', location.href));
  address.protocol = address.protocol.replace('http', 'ws');
  address.hash = '';
  const step = (/** @type {string} */ words, /** @type {string} */ command) => {
    const button = h('button', { type: 'button', class: 'quiet', onclick: () => copy(button, command) }, 'Copy');
    return h('li', {}, words, h('div', { class: 'command' }, h('code', { tabIndex: 0 }, command), button));
  };
  openDialog({ title: 'Add a machine', name: 'add' }, h('div', { class: 'dialog-body' },
    h('ol', { class: 'add-steps' },
      step('Where the hub runs, make a token. It is printed once:', 'otter-server instance add --name laptop'),
      step('On the machine with OpenClaw, start the bridge with it:', `OTTER_TOKEN=… otter-bridge run --hub ${address.href} --gateway-token "$OPENCLAW_TOKEN"`),
      h('li', {}, 'It appears here by itself. When its gateway asks for a pairing, the command to allow it is on its card.')),
    h('p', { class: 'hint' }, 'Something does not work? ', h('code', {}, 'otter-bridge doctor'), ' says why, in words.')));
}
