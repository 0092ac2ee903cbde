import type { CoreConstructor } from './boundary.js';
import type {
  ApprovalDecision, ApprovalEntity, CommandMap, EntityMap, Event, EventMap, FeedItemEntity, InstanceEntity, MessageEntity, MessageStatus, Principal,
  RecordedEvent, RunEntity, SignalMap, StepEntity, TaskEntity, VendorCommand,
} from './types.js';

/** A name of an integrator's own, of a kind, a command or an entity type: `x.<vendor>.<name>`. */
export type VendorName = `x.${string}.${string}`;

/** A command of the catalogue, or an integrator's. */
export type CommandKind = keyof CommandMap | VendorName;

/** What a command carries: exact for those of the catalogue; an integrator's names its instance and is open beyond that. */
export type CommandData<K extends CommandKind> = K extends keyof CommandMap
  ? CommandMap[K]
  : VendorCommand & { readonly [member: string]: unknown };

/** A kind of events of the catalogue, or an integrator's. */
export type EventKind = keyof EventMap | VendorName;

/** An event of an integrator's kind: its data is what they say it is. */
export interface VendorEvent extends RecordedEvent {
  kind: VendorName;
}

/** Any event: narrows by `kind`. A newer hub may send kinds that are not in here; do nothing with those. */
export type OtterEvent = Event | VendorEvent;

/** The event of a kind; `*`: any. */
export type EventOf<K extends EventKind | '*'> = K extends '*' ? OtterEvent : K extends keyof EventMap ? EventMap[K] : VendorEvent;

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
  /**
   * One connection for all tabs of this origin, in a SharedWorker. Default: true; a browser without SharedWorker, a page
   * that may not start it, and a client with its own `WebSocket` have one connection per tab.
   */
  shared?: boolean;
  /**
   * Where commands without an answer are kept over a reload, for 48 hours, and refused ones for 30 days. Default:
   * `localStorage` where there is one; null: nowhere.
   */
  storage?: Storage | null;
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

/** Rows of the feed; `unread` counts those that are not archived. What is older than the live window counts as read: marks are not kept for it. */
export interface Feed<T> extends Rows<T & { readonly read: boolean }> {
  readonly unread: number;
}

/** Pending ones first, oldest first; then decided ones, then ended ones, newest first. */
export interface Approvals<T> extends Rows<T & { readonly rev: number }> {
  /** How many wait for a person. */
  readonly pending: number;
}

/** A message as it is shown: also the answer that is being written, as far as it is known. */
export type ShownMessage = Omit<MessageEntity, 'status'> & { status: MessageStatus | 'streaming' };

/** An entity of the catalogue as it is shown. */
export type ShownEntity<K extends keyof EntityMap> = K extends 'message'
  ? ShownMessage
  : K extends 'approval'
    ? ApprovalEntity & { readonly rev: number }
    : EntityMap[K];

/** A person who is here. */
export interface Present {
  readonly memberId: string;
  readonly name?: string;
  readonly state: string;
  readonly since?: string;
}

/** A person who writes at the moment. */
export interface Typist {
  readonly memberId: string;
  readonly name?: string;
}

/** What an instance has beside its own fields. */
export interface InstanceFacts {
  /** Its last heartbeat on the hub's clock, ms since 1970; null while none was heard. */
  readonly heardAt: number | null;
  /** Events that wait in its bridge, and those that the hub refused for good. */
  readonly outbox: { readonly pending: number; readonly dead: number } | null;
  /** Conversations with a run that goes on. */
  readonly openRuns: number;
}

/**
 * A command that is not through: `held`, `sent`, on its way, or `refused` until retried or dismissed. Also those of other
 * tabs that share the connection, and those that an earlier page left.
 */
export interface CommandEntry extends CommandState {
  readonly id: string;
  readonly kind: string;
  /** What was asked: the words of a refused message are here. */
  readonly data: any;
}

export type Decision = ApprovalDecision;

export interface CommandState {
  readonly state:
    | 'held' | 'sent' | 'accepted' | 'refused' | 'received' | 'started'
    | 'completed' | 'failed' | 'rejected' | 'cancelled' | 'expired' | 'outcomeUnknown'
    | 'dismissed' | 'closed';
  // closed: nobody follows it any more: the client was closed, or someone else signed in.
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

export interface Client {
  readonly connection: Store<Connection>;
  /** Who is signed in; null until the hub said it. */
  readonly self: Store<Principal | null>;
  /** Follows a scope while somebody listens, and 30 s longer. */
  scope(name: string): Store<ScopeState>;
  entity<K extends keyof EntityMap>(type: K, id: string): Store<Entity<ShownEntity<K>> | undefined>;
  entity<T = Record<string, any>>(type: string, id: string): Store<Entity<T> | undefined>;
  list(type: string, query?: ListQuery): Store<List>;
  /** The types of entities that a scope has, by name: also those of integrators. Default: of `org`. */
  types(scope?: string): Store<readonly string[]>;
  /**
   * Messages of a conversation in order: those of the hub, own ones it has not placed yet, and last the answers being
   * written, as `<runId>:answer` with status `streaming`. An answer keeps that id when it is whole.
   */
  messages<T = ShownMessage>(conversationId: string): Store<Rows<T>>;
  /** Runs of a conversation, oldest first. `stopping`: somebody asked to stop it, in any tab, and it goes on so far. */
  runs<T = RunEntity>(conversationId: string): Store<Rows<T & { readonly stopping?: boolean }>>;
  /** Tool calls of a conversation, or of one run of it, oldest first. */
  steps<T = StepEntity>(conversationId: string, runId?: string): Store<Rows<T>>;
  approvals<T = ApprovalEntity>(): Store<Approvals<T>>;
  /**
   * Answers an approval as it is shown: pass the row. Refused `changed` when it has been rewritten since, and
   * `alreadyDecided` when someone else was first; a refused answer stays in the row's `local.error` until dismissed.
   */
  decide(approval: { readonly id: string; readonly rev: number }, decision: Decision): CommandHandle;
  /** Newest first. */
  tasks<T = TaskEntity>(): Store<Rows<T>>;
  /** Newest first; those put away with `archived: true`. */
  feed<T = FeedItemEntity>(options?: { archived?: boolean }): Store<Feed<T>>;
  /** Unread messages of a conversation, or of all that are not archived. 0 until it is known. */
  unread(conversationId?: string): Store<number>;
  /**
   * Marks a conversation read up to its newest message: here at once, at the hub every 2 s at most. Null when nothing is
   * unread, and when the hub hears of it later, which it does by itself.
   */
  markRead(conversationId: string): CommandHandle | null;
  /**
   * Marks feed items as read: here at once, at the hub every 4 s at most, at the latest when the page is hidden. Those
   * that are read are left out.
   */
  markItemsRead(itemIds: readonly string[]): void;
  /** Who is here, by name; nobody while the connection is down. */
  presence(): Store<{ readonly rows: readonly Present[] }>;
  /** Who writes in a conversation, without this person. */
  typing(conversationId: string): Store<{ readonly rows: readonly Typist[] }>;
  /** Says that this person writes, or stopped. Call it on every keystroke: it is sent every 3 s at most. */
  setTyping(conversationId: string, active?: boolean): void;
  /** The fleet, by name. */
  instances<T = InstanceEntity>(): Store<Rows<T & InstanceFacts>>;
  /** Ms until an instant by the hub's clock, in whole seconds, 0 when it is over; null without one. */
  timeLeft(instant: string | number | null | undefined): Store<number | null>;
  /** Ms since an instant by the hub's clock, in whole seconds and after a minute in whole minutes; null without one. */
  age(instant: string | number | null | undefined): Store<number | null>;
  /** The commands that are not through, oldest first. */
  commands(): Store<readonly CommandEntry[]>;
  /**
   * The text of a message. Where its row is `truncated` this fetches the whole while somebody listens, and keeps showing
   * what was streamed until it is there.
   */
  text(id: string, type?: string): Store<LongText>;
  /** The latest signal of a kind, such as `run.progress` of a run or `instance.heartbeat` of an instance. */
  signal<K extends keyof SignalMap>(kind: K, key: string): Store<SignalMap[K] | null>;
  signal<T = Record<string, any>>(kind: string, key: string): Store<T | null>;
  /** Asks for something. Never throws; the answer is in the handle. */
  command<K extends CommandKind>(kind: K, data: CommandData<K>): CommandHandle;
  /** Sends the refused command of a local row again, under a new id. */
  retry(commandId: string): CommandHandle | null;
  /** Drops the local rows of a refused command. */
  dismiss(commandId: string): void;
  /** Sends an ephemeral signal. */
  send<K extends keyof SignalMap>(scope: string, kind: K, data: SignalMap[K]): void;
  /** Calls `fn` for each event of a kind (`*`: any) in a followed scope. `replayed`: it is not news. */
  on<K extends EventKind | '*'>(kind: K, fn: (event: EventOf<K>, info: { replayed: boolean }) => void): () => void;
  /** The hub's clock, ms since 1970. */
  now(): number;
  /** Connects. The first use does it too. */
  start(): void;
  /** Ends everything: no listener or callback runs after it. */
  close(): void;
  /** Position and state hash per scope, as applied. For tests. */
  hashes(): Promise<Record<string, { epoch: string; pos: number; hash: string }>>;
}

/** Makes a client. Nothing happens before it is used, so it may be made at import time and on a server. */
export function createClient(options?: ClientOptions): Client;
