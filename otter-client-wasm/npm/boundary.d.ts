/**
 * The boundary between this package and its WebAssembly core: messages only, so that the core may also live in a worker.
 *
 * Rust never calls subscribers. After a socket or timer entry that changed something it calls `notify()`, once between
 * two drains; the package then drains once per frame. From its panic hook it calls `notify(text)`: that instance is dead
 * and is replaced, with the scopes and open commands of this tab told to the next one.
 */
export interface Core {
  /** Takes one message: JSON text of a `ToCore`. */
  post(message: string): void;
  /** Everything that changed since the last drain, as JSON text of a `Drain`; "" when nothing did. */
  drain(): string;
  /** JSON text of `{[scope]: {epoch, pos, hash}}`, as applied. For tests. */
  hashes(): string;
  /** Releases the memory. Comes after `{t: "stop"}`. */
  free(): void;
}

/**
 * `options` is JSON text of `CoreOptions`; `WebSocket` a constructor called as `new WebSocket(url, protocols)`. Nothing
 * happens before `{t: "start"}`.
 */
export type CoreConstructor = new (options: string, WebSocket: unknown, notify: (panic?: string) => void) => Core;

export interface CoreOptions {
  /** Absolute ws: or wss: address. */
  url: string;
  client: { name: string; version: string };
}

export type ToCore =
  /**
   * Connect. `self`: the principal that an earlier core was told. When the hub welcomes somebody else, what was asked before
   * the welcome does not go out.
   */
  | { t: 'start'; self?: unknown }
  /** Close the socket and clear the timer, for good. */
  | { t: 'stop' }
  /** Follow a scope; state kept from before is resumed. */
  | { t: 'subscribe'; scope: string }
  /** Stop following it, keep its state and position. */
  | { t: 'unsubscribe'; scope: string }
  /** Drop its state and position. Always after an unsubscribe; the package has forgotten its rows already. */
  | { t: 'forget'; scope: string }
  /** The event kinds that callbacks want: `["*"]` for all, `[]` for none. */
  | { t: 'listen'; kinds: string[] }
  /**
   * `id` is a UUIDv7. Predicted at once, sent when possible, sent again until it is answered. With `error` it was refused
   * before: its rows are shown, and nothing is sent. With `stage` an earlier core saw it get so far: `sent`
   * is sent again, whatever it is; a later one is asked again, without a prediction, and followed to its end.
   */
  | { t: 'command'; id: string; kind: string; data: unknown; error?: unknown; stage?: string }
  /** A refused command again under a new id: its local rows go and those of `as` come in one drain. */
  | { t: 'retry'; id: string; as: string }
  /** Drop the local rows of a refused command. */
  | { t: 'dismiss'; id: string }
  /** Ephemeral notice in a scope. */
  | { t: 'signal'; scope: string; kind: string; data: unknown }
  /** Older rows of a type (`kind`) of a followed scope; told in `lists`, the rows in `put` with `live` false. */
  | { t: 'more'; scope: string; kind: string }
  /** The whole of a text whose row (`kind`: `type/id`) is truncated; told in `texts`. Asked again after a reconnect. */
  | { t: 'text'; scope: string; kind: string }
  /** The page was shown or hidden. Also told before `start`. */
  | { t: 'visible'; visible: boolean }
  /** The browser gained or lost its network. */
  | { t: 'online'; online: boolean }
  /** The page came back; `persisted`: from the back/forward cache, its socket is gone. */
  | { t: 'pageshow'; persisted: boolean };

/**
 * A net result, applied in the order of the fields. A key appears at most once in `put` and `drop` together. The end of
 * a slot and the answer that replaces it come in one drain.
 */
export interface Drain {
  /** Whole. `since` and `nextRetryAt` are ms since 1970 by the local clock. */
  connection?: {
    /** waiting: until nextRetryAt; signedOut: the credential has to be fixed; stopped: terminal. */
    phase: 'connecting' | 'online' | 'waiting' | 'signedOut' | 'stopped';
    /** The sentence of the hub when there is one, else a word: `offline`, `heartbeat`, `closed`, `hidden`. */
    reason: string | null;
    /** The close code that led here. */
    code: number | null;
    since: number;
    attempt: number;
    nextRetryAt: number | null;
    roundTripMs: number | null;
  };
  /** The principal of the welcome. */
  self?: unknown;
  /** Clock of the hub minus the local clock. */
  serverOffsetMs?: number;
  /** Of a worker: scopes of which everything comes anew, so that texts so far and signals not in this drain are over. */
  fresh?: string[];
  /** Scopes whose state was swapped: what is not in `put` of this drain is gone. */
  reset?: string[];
  drop?: [scope: string, key: string][];
  /** `key` is `type/id`; `entity` is JSON, not text in text, with the overlay applied. */
  put?: [scope: string, key: string, rev: number, live: boolean, entity: unknown][];
  /** The text so far of a run is its old first `from` UTF-16 units plus `text`; null: the slot is gone. */
  slots?: [conversationId: string, runId: string, from: number, text: string | null][];
  /** How far back lists go that were asked for more. */
  lists?: [scope: string, type: string, loading: boolean, hasMore: boolean, oldest: { order: string; id: string } | null, error: unknown][];
  /** A part of a whole text; `first`: what came before belongs to an earlier attempt. */
  texts?: [key: string, first: boolean, part: Record<string, string> | null, done: boolean, error: unknown][];
  /** Of a worker, with the moment by the local clock at which it was heard: the latest run.progress by run id and instance.heartbeat by instance id; null: over. */
  signals?: [scope: string, kind: string, key: string, data: unknown | null, heardAt?: number][];
  /** By `type/id`: the command an entity waits for. */
  local?: Record<string, { commandId: string; stage: 'held' | 'sent' | 'refused'; error?: unknown } | null>;
  scopes?: Record<string, { phase: 'loading' | 'live' | 'stale' | 'denied'; reason: string | null }>;
  /** held, sent, accepted or refused, then the durable stages. Of a worker, with what was asked, in whichever tab. */
  commands?: { id: string; state: string; kind?: string; data?: unknown; error?: unknown; result?: unknown }[];
  /** In the order of their scope; `replayed`: it happened before the subscription was answered. */
  events?: [event: unknown, replayed: boolean][];
}

/** What a tab says to the worker that tabs share. */
export type ToWorker =
  /** The first message: which release and which hub, what brings a core to where this tab is, and whose tab it is. */
  | { hello: { version: string; settings: string; visible: boolean; messages: ToCore[]; self: unknown } }
  /** `self`: who this tab belongs to, as far as it was told. Commands of somebody else are dropped. */
  | { message: ToCore; self: unknown }
  /** The drains up to this number were applied. A tab that leaves 64 unapplied gets no more until it has. */
  | { taken: number }
  /** It is alive; with `answer` it wants to know whether the worker is. */
  | { beat: true; answer?: true }
  | { hashes: true }
  /** The bytes of the core, or why there are none. */
  | { wasm: ArrayBuffer }
  | { noWasm: string }
  /** The page goes away or into the back/forward cache. */
  | { bye: true };

/** What the worker says to a tab. */
export type FromWorker =
  | { joined: true }
  /** The worker is of another release: have a core of your own. */
  | { other: true }
  /** The worker had given this tab up: say hello again. */
  | { gone: true }
  /** Somebody else is signed in than was thought: say again which commands are open. */
  | { again: true }
  /** Send the bytes of the core. */
  | { wasm: true }
  | { beat: true }
  | { fail: [reason: string, nextRetryAt: number | null] }
  | { hashes: Record<string, unknown> }
  | { n: number; changes: Drain };
