import { createCore } from './core.js';
import { createMirror } from './mirror.js';
import { isOther } from './same.js';
import { createShared } from './shared.js';
import { own } from './state.js';

const FLUSH_MS = 16;
const UNTAKEN = 64;
const MISSED = 10_000;
const KEPT = 16;

/**
 * @typedef {{
 *   port: any, follows: Map<string, string>, kinds: string[], lists: Set<string>, texts: Map<string, any>, missed: Set<string>, visible: boolean,
 *   sent: number, taken: number, behind: boolean, self: any, waits: boolean, events: any[], heardAt: number,
 * }} Tab `follows`: the scopes by their one name; `self`: who it said it belongs to; `behind`: it takes nothing at the moment,
 * `waits`: it may be of another person than what is here, and gets all of its scopes anew when that is over; `events` and the `missed` ones of its `texts`
 * wait for that
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
  /** @type {any} who all of this belongs to: the principal of the last welcome, else who a tab said it is */
  let person = null;
  /** The present core has been welcomed as that person. */
  let sure = false;
  let flushedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let core = newCore();

  function newCore() {
    return createCore({ load, WebSocket, options: () => JSON.parse(settings), replay, self: () => person, changed, fail });
  }

  const isVisible = () => [...tabs].some((tab) => tab.visible);
  const kinds = () => [...new Set([...tabs].flatMap((tab) => tab.kinds))];
  const isFollowed = (/** @type {string} */ scope) => [...tabs].some((tab) => tab.follows.has(own(scope)));

  /** @returns {import('./boundary.js').ToCore[]} */
  function replay() {
    const scopes = new Map([...tabs].flatMap((tab) => [...tab.follows]));
    /** @type {import('./boundary.js').ToCore[]} */
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
      const old = changes.self && welcomed(changes.self);
      // The age of a signal counts from here, also for a tab that comes later.
      changes.signals?.forEach((/** @type {any[]} */ signal) => signal.push(flushedAt));
      if (changes.connection) failed = null;
      mirror.apply(changes);
      changes.commands = commands.apply(changes.commands ?? []);
      for (const text of changes.texts ?? []) keepText(text);
      for (const tab of tabs) give(tab, partOf(tab, changes));
      if (changes.self) admit(isOther(old, person));
    }
  }

  /** Nothing of the former person stays; the core has dropped it, too. @param {any} self @returns {any} who it was */
  function welcomed(self) {
    const old = person;
    person = self;
    sure = true;
    if (!isOther(old, self)) return old;
    commands.clear();
    mirror.clear();
    texts.clear();
    kept.clear();
    for (const tab of tabs) for (const of of [tab.lists, tab.texts, tab.missed]) of.clear();
    for (const tab of tabs) tab.events.length = 0;
    return old;
  }

  /** It is known who this is. A tab of that person says again what was dropped. @param {boolean} isNew it is somebody else */
  function admit(isNew) {
    for (const tab of tabs) {
      const waited = tab.waits;
      tab.waits = false;
      if (waited && !tab.behind) giveAll(tab);
      if (waited || isNew) tab.port.postMessage({ again: true });
    }
  }

  /** Whether a tab may be of somebody else than what is here. @param {Tab} tab */
  function isDoubtful({ self }) {
    const isSure = sure && mirror.common().connection?.phase === 'online';
    return Boolean(person) && !isSure && (!self || isOther(self, person));
  }

  /** @param {string} reason @param {number | null} retryAt */
  function fail(reason, retryAt) {
    failed = [reason, retryAt];
    sure = false;
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
    if (tab.behind || tab.waits) {
      tab.events.push(...(changes.events ?? []));
      tab.events.splice(0, tab.events.length - MISSED);
      for (const [key] of changes.texts ?? []) tab.missed.add(key);
      if (tab.behind || !changes.connection) return;
      changes = { connection: changes.connection };
    }
    for (const [key, , , done] of changes.texts ?? []) if (done) tab.texts.delete(key);
    tab.sent += 1;
    tab.port.postMessage({ n: tab.sent, changes });
  }

  /** Everything that concerns a tab in one drain, to begin with or to go on. @param {Tab} tab */
  function giveAll(tab) {
    if (failed) tab.port.postMessage({ fail: failed });
    const wholes = [...tab.follows.values()].map((scope) => mirror.whole(scope, tab.lists));
    const missed = [...tab.missed].flatMap((key) => partsOf(key, tab.texts.get(key)));
    tab.missed.clear();
    give(tab, merged([mirror.common(), ...wholes, { commands: commands.all(), texts: missed, events: tab.events.splice(0) }]));
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

  /** @param {Tab} tab @param {any} message a `ToCore` @param {any} self */
  function handle(tab, message, self) {
    const { t, scope, kind } = message;
    if (t === 'subscribe') follow(tab, scope);
    else if (t === 'unsubscribe') unfollow(tab, scope);
    else if (t === 'listen') listen(tab, message.kinds);
    else if (t === 'visible') show(tab, message.visible);
    else if (t === 'more') more(tab, scope, kind, message);
    else if (t === 'text') text(tab, kind, message);
    else if (t === 'command' || t === 'retry' || t === 'dismiss') command(tab, message, self);
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
    give(tab, { texts: partsOf(key, message) });
  }

  /** What is here of a text that is on its way; else it is asked for. @param {string} key @param {any} message */
  function partsOf(key, message) {
    const known = texts.get(key);
    if (known) return [...known.parts];
    texts.set(key, { scope: message.scope, parts: [] });
    core.post(message);
    return [];
  }

  /** @param {Tab} tab @param {any} message @param {any} self who the tab belongs to, as far as it was told */
  function command(tab, message, self) {
    // The core may know more about who this is.
    flush();
    if (tab.waits || isOther(self, person)) return;
    const { news, isNew } = commands.posted(message);
    if (isNew) core.post(message);
    for (const other of tabs) if (other !== tab || !isNew) give(other, { commands: news });
  }

  /** A tab remembers who this was. @param {any} self */
  function introduce(self) {
    person = self;
    core.post({ t: 'start', self });
    for (const tab of tabs) tab.waits = isDoubtful(tab);
  }

  return {
    /** @param {any} port @param {{ visible: boolean, messages: any[], self: any }} hello @returns {Tab} */
    join(port, { visible, messages, self }) {
      flush();
      port.postMessage({ joined: true });
      /** @type {Tab} */
      const tab = {
        port, visible, follows: new Map(), kinds: [], lists: new Set(), texts: new Map(), missed: new Set(),
        // All of it comes in one drain below.
        sent: 0, taken: 0, behind: true, self, waits: false, events: [], heardAt: Date.now(),
      };
      tabs.add(tab);
      // Whoever signed in again, or loads a page again, opens one: a core that gave up starts anew.
      if (['signedOut', 'stopped'].includes(mirror.common().connection?.phase) || failed?.[1] === null) {
        core.stop();
        core = newCore();
        fail('restarting', Date.now());
      }
      if (self && !person) introduce(self);
      tab.waits = isDoubtful(tab);
      messages.forEach((message) => handle(tab, message, self));
      tab.behind = false;
      giveAll(tab);
      if (visible) core.post({ t: 'visible', visible });
      core.start();
      changed();
      return tab;
    },
    /** @param {Tab} tab @param {any} message a `ToCore` @param {any} self who the tab belongs to, as far as it was told */
    post(tab, message, self) {
      handle(tab, message, self);
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

/** Drains as one. @param {any[]} drains @returns {any} */
function merged(drains) {
  /** @type {any} */
  const all = {};
  for (const [name, value] of drains.flatMap(Object.entries)) {
    if (Array.isArray(value)) all[name] = (all[name] ?? []).concat(value);
    else all[name] = name === 'local' || name === 'scopes' ? { ...all[name], ...value } : value;
  }
  return all;
}
