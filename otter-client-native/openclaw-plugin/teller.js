// Tells the bridge of every item, whichever process pushed it: the file is watched while the gateway runs.

import { mkdirSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export class Teller {
  /**
   * @param {import('./store.js').Store} store
   * @param {{ emit(name: string, payload: object, options: object): void }} events of the gateway
   */
  constructor(store, events) {
    this.store = store;
    this.events = events;
    this.told = new Set(store.list().map(({ id }) => id));
    mkdirSync(dirname(store.path), { recursive: true, mode: 0o700 });
    const name = basename(store.path);
    this.watcher = watch(dirname(store.path), { persistent: false }, (_event, changed) => {
      if (changed === null || changed === name) this.look();
    });
    // Without a watch what others push is read at the next attach.
    this.watcher.on('error', () => this.stop());
    // What was pushed while the gateway started may have come after the bridge had read the list.
    if (this.told.size > 0) this.emit({});
    this.store.shorten();
  }

  /** Tells what is new in the file. */
  look() {
    for (const item of this.store.list()) this.tell(item);
    this.store.shorten();
  }

  /** Tells an item, once. */
  tell(item) {
    if (this.told.has(item.id)) return;
    this.told.add(item.id);
    this.emit({ item });
    if (this.told.size > MAX_TOLD) this.told = new Set(this.store.list().map(({ id }) => id));
  }

  emit(payload) {
    this.events.emit('feed', payload, { scope: 'operator.read' });
  }

  stop() {
    this.watcher.close();
  }
}

/** More than the file has; the bridge keeps what it was told, too. */
const MAX_TOLD = 10_000;
