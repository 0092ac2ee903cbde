import { createCore } from './core.js';
import { createMirror } from './mirror.js';
import { createShared } from './shared.js';
import { own } from './state.js';

const FLUSH_MS = 16;
const UNTAKEN = 64;
const MISSED = 10_000;
const KEPT = 16;

/**
 * @typedef {{
 *   port: any, follows: Map<string, string>, kinds: string[], lists: Set<string>, texts: Map<string, any>, missed: Set<string>, visible: boolean,
 *   sent: number, taken: number, behind: boolean, events: any[], heardAt: number,
 * }} Tab `follows`: the scopes by their one name; `behind`: it takes nothing at the moment, and gets all of its scopes anew
 * when it does; `events` and the `missed` ones of its `texts` wait for that
 */

/**
 * One core for all tabs that want the same hub.
 *
 * @param {string} settings JSON text of `CoreOptions`
 * @param {{ load: () => Promise<import('./boundary.js').CoreConstructor>, WebSocket: () => unknown }} of
 */
export function createRoom(settings, { load, WebSocket }) {
  /** @type {Set<Tab>} */
  const tabs = new Set();
  const mirror = createMirror();
  const commands = createShared();
  /** @type {Map<string, string>} scopes that nobody follows any more, oldest first */
  const kept = new Map();
  /** @type {Map<string, { scope: string, parts: any[] }>} whole texts that are on their way, by `type/id` */
  const texts = new Map();
  /** @type {[string, number | null] | null} */
  let failed = null;
  let flushedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let core = newCore();

  function newCore() {
    return createCore({ load, WebSocket, options: () => JSON.parse(settings), replay, changed, fail });
  }

  const isVisible = () => [...tabs].some((tab) => tab.visible);
  const kinds = () => [...new Set([...tabs].flatMap((tab) => tab.kinds))];
  const isFollowed = (/** @type {string} */ scope) => [...tabs].some((tab) => tab.follows.has(own(scope)));

  function replay() {
    const scopes = new Map([...tabs].flatMap((tab) => [...tab.follows]));
    const follow = [...scopes.values()].map((scope) => ({ t: 'subscribe', scope }));
    return [{ t: 'visible', visible: isVisible() }, { t: 'listen', kinds: kinds() }, ...follow, ...commands.replay()];
  }

  function changed() {
    timer ??= setTimeout(flush, Math.max(0, flushedAt + FLUSH_MS - Date.now()));
  }

  function flush() {
    clearTimeout(timer);
    timer = undefined;
    flushedAt = Date.now();
    for (const changes of core.take()) {
      // The age of a signal counts from here, also for a tab that comes later.
      changes.signals?.forEach((/** @type {any[]} */ signal) => signal.push(flushedAt));
      if (changes.connection) failed = null;
      if (changes.self && isOther(changes.self, mirror.common().self)) {
        commands.clear();
        texts.clear();
      }
      mirror.apply(changes);
      changes.commands = commands.apply(changes.commands ?? []);
      for (const text of changes.texts ?? []) keepText(text);
      for (const tab of tabs) give(tab, partOf(tab, changes));
    }
  }

  /** The core has dropped what the former person asked for. @param {any} self @param {any} old */
  const isOther = (self, old) => old && (old.id !== self.id || old.org !== self.org);

  /** @param {string} reason @param {number | null} retryAt */
  function fail(reason, retryAt) {
    failed = [reason, retryAt];
    mirror.orphan();
    texts.clear();
    for (const tab of tabs) tab.port.postMessage({ fail: failed });
  }

  /** What of a drain concerns a tab. @param {Tab} tab @param {any} changes */
  function partOf(tab, changes) {
    const follows = (/** @type {string} */ scope) => tab.follows.has(own(scope));
    /** @type {any} */
    const part = { ...changes };
    for (const name of ['drop', 'put', 'signals']) part[name] = changes[name]?.filter((/** @type {any[]} */ each) => follows(each[0]));
    part.reset = changes.reset?.filter(follows);
    part.slots = changes.slots?.filter((/** @type {any[]} */ slot) => follows(`conversation/${slot[0]}`));
    part.lists = changes.lists?.filter((/** @type {any[]} */ list) => tab.lists.has(`${own(list[0])}/${list[1]}`));
    part.texts = changes.texts?.filter((/** @type {any[]} */ text) => tab.texts.has(text[0]));
    part.events = changes.events?.filter((/** @type {any[]} */ [event]) => wants(tab, event));
    part.scopes = changes.scopes && Object.fromEntries(Object.entries(changes.scopes).filter(([scope]) => follows(scope)));
    return part;
  }

  /** @param {Tab} tab @param {any} event */
  const wants = (tab, event) => tab.follows.has(own(event.scope)) && (tab.kinds.includes('*') || tab.kinds.includes(event.kind));

  /** @param {Tab} tab @param {any} changes */
  function give(tab, changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || (Array.isArray(value) && value.length === 0)) delete changes[name];
    }
    if (Object.keys(changes).length === 0) return;
    if (tab.sent - tab.taken >= UNTAKEN) tab.behind = true;
    if (tab.behind) {
      tab.events.push(...(changes.events ?? []));
      tab.events.splice(0, tab.events.length - MISSED);
      for (const [key] of changes.texts ?? []) tab.missed.add(key);
      return;
    }
    for (const [key, , , done] of changes.texts ?? []) if (done) tab.texts.delete(key);
    tab.sent += 1;
    tab.port.postMessage({ n: tab.sent, changes });
  }

  /** Everything that concerns a tab, to begin with or to go on after it was behind. @param {Tab} tab */
  function giveAll(tab) {
    if (failed) tab.port.postMessage({ fail: failed });
    give(tab, { ...mirror.common(), commands: commands.all() });
    for (const scope of tab.follows.values()) give(tab, mirror.whole(scope, tab.lists));
    if (tab.events.length > 0) give(tab, { events: tab.events.splice(0) });
    for (const key of tab.missed) text(tab, key, tab.texts.get(key));
    tab.missed.clear();
  }

  /** @param {any} text `[key, first, part, done, error]` */
  function keepText(text) {
    const parts = texts.get(text[0])?.parts;
    if (!parts) return;
    if (text[1]) parts.length = 0;
    parts.push(text);
    if (text[3]) texts.delete(text[0]);
  }

  /** @param {Tab} tab @param {string} scope */
  function follow(tab, scope) {
    if (!isFollowed(scope)) core.post({ t: 'subscribe', scope });
    kept.delete(own(scope));
    tab.follows.set(own(scope), scope);
    give(tab, mirror.whole(scope, tab.lists));
  }

  /** @param {Tab} tab @param {string} scope */
  function unfollow(tab, scope) {
    tab.follows.delete(own(scope));
    for (const list of tab.lists) if (list.startsWith(`${own(scope)}/`)) tab.lists.delete(list);
    for (const [key, asked] of tab.texts) if (own(asked.scope) === own(scope)) leaveText(tab, key);
    if (isFollowed(scope)) return;
    for (const [key, text] of texts) if (own(text.scope) === own(scope)) texts.delete(key);
    core.post({ t: 'unsubscribe', scope });
    kept.set(own(scope), scope);
    if (kept.size <= KEPT) return;
    const [[key, oldest]] = kept;
    kept.delete(key);
    core.post({ t: 'forget', scope: oldest });
    mirror.forget(oldest);
  }

  /** @param {Tab} tab @param {string} key */
  function leaveText(tab, key) {
    tab.texts.delete(key);
    tab.missed.delete(key);
  }

  /** @param {Tab} tab @param {any} message a `ToCore` */
  function handle(tab, message) {
    const { t, scope, kind } = message;
    if (t === 'subscribe') follow(tab, scope);
    else if (t === 'unsubscribe') unfollow(tab, scope);
    else if (t === 'listen') listen(tab, message.kinds);
    else if (t === 'visible') show(tab, message.visible);
    else if (t === 'more') more(tab, scope, kind, message);
    else if (t === 'text') text(tab, kind, message);
    else if (t === 'command' || t === 'retry' || t === 'dismiss') command(tab, message);
    else if (t !== 'forget') core.post(message);
  }

  /** @param {Tab} tab @param {string[]} wanted */
  function listen(tab, wanted) {
    tab.kinds = wanted;
    core.post({ t: 'listen', kinds: kinds() });
  }

  /** The core is hidden when all tabs are. @param {Tab} tab @param {boolean} visible */
  function show(tab, visible) {
    tab.visible = visible;
    if (visible || !isVisible()) core.post({ t: 'visible', visible });
  }

  /** @param {Tab} tab @param {string} scope @param {string} type @param {any} message */
  function more(tab, scope, type, message) {
    const key = `${own(scope)}/${type}`;
    const list = tab.lists.has(key) ? undefined : mirror.list(scope, type);
    tab.lists.add(key);
    // Another tab went further already: those rows are here.
    if (list) give(tab, { lists: [list] });
    else core.post(message);
  }

  /** @param {Tab} tab @param {string} key @param {any} message */
  function text(tab, key, message) {
    tab.texts.set(key, message);
    const known = texts.get(key);
    if (known) return give(tab, { texts: [...known.parts] });
    texts.set(key, { scope: message.scope, parts: [] });
    core.post(message);
  }

  /** @param {Tab} tab @param {any} message */
  function command(tab, message) {
    const { news, isNew } = commands.posted(message);
    if (isNew) core.post(message);
    for (const other of tabs) if (other !== tab || !isNew) give(other, { commands: news });
  }

  return {
    /** @param {any} port @param {{ visible: boolean, messages: any[] }} hello @returns {Tab} */
    join(port, { visible, messages }) {
      /** @type {Tab} */
      const tab = {
        port, visible, follows: new Map(), kinds: [], lists: new Set(), texts: new Map(), missed: new Set(),
        sent: 0, taken: 0, behind: false, events: [], heardAt: Date.now(),
      };
      tabs.add(tab);
      port.postMessage({ joined: true });
      // Whoever signed in again, or loads a page again, opens one: a core that gave up starts anew.
      if (['signedOut', 'stopped'].includes(mirror.common().connection?.phase) || failed?.[1] === null) {
        core.stop();
        core = newCore();
        fail('restarting', Date.now());
      }
      giveAll(tab);
      messages.forEach((message) => handle(tab, message));
      if (visible) core.post({ t: 'visible', visible });
      core.start();
      changed();
      return tab;
    },
    /** @param {Tab} tab @param {any} message a `ToCore` */
    post(tab, message) {
      handle(tab, message);
      changed();
    },
    /** @param {Tab} tab @param {number} n */
    taken(tab, n) {
      tab.taken = n;
      if (!tab.behind || n < tab.sent) return;
      tab.behind = false;
      giveAll(tab);
    },
    /** @param {Tab} tab */
    leave(tab) {
      if (!tabs.delete(tab)) return;
      for (const scope of tab.follows.values()) unfollow(tab, scope);
      core.post({ t: 'listen', kinds: kinds() });
      if (tab.visible && !isVisible()) core.post({ t: 'visible', visible: false });
      changed();
      if (tabs.size > 0) return;
      clearTimeout(timer);
      core.stop();
    },
    /** @param {Tab} tab */
    async tellHashes(tab) {
      tab.port.postMessage({ hashes: await core.hashes() });
    },
    tabs,
  };
}
