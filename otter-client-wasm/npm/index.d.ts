import type { CoreConstructor } from './boundary.js';

/** A value and a way to hear of the next one. `get` returns the same reference until the value changed. */
export interface Store<T> {
  get(): T;
  /** Calls `listener` after a change, at most once per frame. Returns a function that ends it. */
  subscribe(listener: () => void): () => void;
}

export interface ClientOptions {
  /** Address of the hub's `/ws`, absolute or relative to the page; http(s) is taken as ws(s). Default: `/ws`. */
  url?: string | URL;
  /** Names this program to the hub. */
  client?: { name: string; version: string };
  /** Constructor of sockets, where there is no global one (Node 20). */
  WebSocket?: unknown;
  /** Whether objects handed out are frozen. Default: in development. */
  freeze?: boolean;
  /** Replaces the WebAssembly core, in tests. */
  core?: CoreConstructor;
}

export interface OtterError {
  code: string;
  message: string;
  retryable?: boolean;
  retryAfterMs?: number;
}

export interface Connection {
  /**
   * idle: nothing used the client yet; waiting: until `nextRetryAt`; signedOut: a person has to sign in again;
   * stopped: this version cannot go on, reload; closed: by `close()`.
   */
  readonly phase: 'idle' | 'connecting' | 'online' | 'waiting' | 'signedOut' | 'stopped' | 'closed';
  /** A sentence of the hub or a word such as `offline`. */
  readonly reason: string | null;
  readonly code: number | null;
  /** Ms since 1970, local clock. */
  readonly since: number | null;
  readonly attempt: number;
  /** Ms since 1970, local clock. */
  readonly nextRetryAt: number | null;
  readonly roundTripMs: number | null;
}

export interface ScopeState {
  /** stale: the last known state is shown while it cannot be followed. */
  readonly phase: 'loading' | 'live' | 'stale' | 'denied';
  readonly reason: string | null;
}

/** Why an entity differs from what the hub has. Not on the wire. */
export interface Local {
  readonly commandId: string;
  /** held: waits for a connection; sent: waits for the answer; refused: stays until retried or dismissed. */
  readonly stage: 'held' | 'sent' | 'refused';
  readonly error?: OtterError;
}

/** The fields of an entity with its id and what this tab knows about it. */
export type Entity<T = Record<string, any>> = Readonly<T> & { readonly id: string; readonly local?: Local };

export interface ListQuery {
  /** Default: `org`. */
  scope?: string;
  /** Fields that have to be equal. */
  where?: Record<string, string | number | boolean | null>;
  /** A field or a path such as `lastMessage.sentAt`, with `-` before it for newest first. Default: by id. */
  order?: string;
}

export interface List {
  readonly ids: readonly string[];
  /** There are older rows, as far as is known. */
  readonly hasMore: boolean;
  /** Rows are on their way: while there are none, empty does not mean that there is nothing. */
  readonly loading: boolean;
  /** Why the last older rows asked for did not come. */
  readonly error: OtterError | null;
  /** Asks for older rows of the type, about a hundred; they stay until nobody uses the scope any more. */
  more(): void;
}

/** A text that may be longer than its row shows. */
export interface LongText {
  /** As much of it as is known: what was streamed, or the head, until the whole is there. */
  readonly text: string;
  readonly whole: boolean;
  readonly loading: boolean;
  readonly error: OtterError | null;
}

export interface Rows<T> {
  readonly rows: readonly Entity<T>[];
  readonly hasMore: boolean;
  readonly loading: boolean;
  readonly error: OtterError | null;
  /** Asks for older rows, about a hundred; they stay until nobody uses the scope any more. */
  more(): void;
}

export interface CommandState {
  readonly state:
    | 'held' | 'sent' | 'accepted' | 'refused' | 'received' | 'started'
    | 'completed' | 'failed' | 'rejected' | 'cancelled' | 'expired' | 'outcomeUnknown'
    | 'dismissed' | 'closed';
  readonly error?: OtterError;
  readonly result?: unknown;
}

export interface CommandHandle extends Store<CommandState> {
  readonly id: string;
  /** Resolves when the hub answered; look at `state`. Never rejects. */
  readonly accepted: Promise<CommandState>;
  /** Resolves at the end of the command; look at `state`. Never rejects. */
  readonly done: Promise<CommandState>;
  /** Sends a refused command again under a new id. Null when it is not refused. */
  retry(): CommandHandle | null;
  /** Forgets a refused command and its local rows. */
  dismiss(): void;
}

export interface OtterEvent {
  readonly seq: number;
  readonly id: string;
  readonly at: string;
  readonly scope: string;
  readonly kind: string;
  readonly data: any;
  readonly [field: string]: any;
}

export interface Client {
  readonly connection: Store<Connection>;
  /** Who is signed in; null until the hub said it. */
  readonly self: Store<any>;
  /** Follows a scope while somebody listens, and 30 s longer. */
  scope(name: string): Store<ScopeState>;
  entity<T = Record<string, any>>(type: string, id: string): Store<Entity<T> | undefined>;
  list(type: string, query?: ListQuery): Store<List>;
  /**
   * Messages of a conversation in order: those of the hub, own ones it has not placed yet, and last the answers being
   * written, as `<runId>:answer` with status `streaming`. An answer keeps that id when it is whole.
   */
  messages<T = Record<string, any>>(conversationId: string): Store<Rows<T>>;
  /** Runs of a conversation, oldest first. */
  runs<T = Record<string, any>>(conversationId: string): Store<Rows<T>>;
  /**
   * The text of a message. Where its row is `truncated` this fetches the whole while somebody listens, and keeps showing
   * what was streamed until it is there.
   */
  text(id: string, type?: string): Store<LongText>;
  /** The latest signal of a kind, such as `run.progress` of a run or `instance.heartbeat` of an instance. */
  signal<T = Record<string, any>>(kind: string, key: string): Store<T | null>;
  /** Asks for something. Never throws; the answer is in the handle. */
  command(kind: string, data: object): CommandHandle;
  /** Sends the refused command of a local row again, under a new id. */
  retry(commandId: string): CommandHandle | null;
  /** Drops the local rows of a refused command. */
  dismiss(commandId: string): void;
  /** Sends an ephemeral signal. */
  send(scope: string, kind: string, data: object): void;
  /** Calls `fn` for each event of a kind (`*`: any) in a followed scope. `replayed`: it is not news. */
  on(kind: string, fn: (event: OtterEvent, info: { replayed: boolean }) => void): () => void;
  /** The hub's clock, ms since 1970. */
  now(): number;
  /** Connects. The first use does it too. */
  start(): void;
  /** Ends everything: no listener or callback runs after it. */
  close(): void;
  /** Position and state hash per scope, as applied. For tests. */
  hashes(): Record<string, { epoch: string; pos: number; hash: string }>;
}

/** Makes a client. Nothing happens before it is used, so it may be made at import time and on a server. */
export function createClient(options?: ClientOptions): Client;
