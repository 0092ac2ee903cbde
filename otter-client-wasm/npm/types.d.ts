// Generated from schemas/v1/otter.schema.json by `cargo xtask schemas`. Do not edit.
/** A command was accepted: durable, and on its way. */
export interface Accepted {
  /** The highest seq the acceptance wrote in each scope. */
  at?: Record<string, number>;
  /** The epoch of the positions in `at`. */
  epoch: string;
}

/** Counts the `events`, `snapshot` and `page` frames received on this connection, applied or not. */
export interface AckFrame {
  /** Total since the connection opened. */
  frames: number;
  /** Which frame this is. */
  type: "ack";
}

/** An entity of type `activity`, at most 8 KiB. Its id is in its key. */
export interface ActivityEntity {
  /** Which agent. */
  agentId?: string;
  /** The publisher's word for its kind, for instance `cron`, `hook` or `deploy`. */
  category: string;
  /** The conversation it belongs to. */
  conversationId?: string;
  /** Details, at most 4 KiB. */
  detail?: string;
  /** How long it took. */
  durationMs?: number;
  /** Where. */
  instanceId?: string;
  /** When it happened. */
  occurredAt: Instant;
  /** The run it belongs to. */
  runId?: string;
  /** How it ended. */
  status?: ActivityStatus;
  /** What, one line, 1 to 300 characters. */
  title: string;
}

/** `activity.recorded`: something an agent or a job did. */
export interface ActivityRecorded {
  /** Which agent. */
  agentId?: string;
  /** The publisher's word for its kind, for instance `cron`, `hook` or `deploy`. */
  category: string;
  /** The conversation it belongs to. */
  conversationId?: string;
  /** Details, at most 4 KiB. */
  detail?: string;
  /** How long it took. */
  durationMs?: number;
  /** Where. */
  instanceId?: string;
  /** When it happened. */
  occurredAt: Instant;
  /** The run it belongs to. */
  runId?: string;
  /** How it ended. */
  status?: ActivityStatus;
  /** What, one line, 1 to 300 characters. */
  title: string;
}

/** A recorded `activity.recorded`. */
export interface ActivityRecordedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ActivityRecorded;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "activity.recorded";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `activity`. */
export interface ActivityRow {
  /** `activity/<id>`. */
  entity: `activity/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: ActivityEntity;
}

/** How an activity ended. */
export type ActivityStatus = "completed" | "failed" | (string & {});

/** What a conversation belongs to. Echoed by replies; nothing parses session keys to route. */
export interface Address {
  /** With `issue`: the issue. */
  issueId?: string;
  /** Which of the members below is set. */
  kind: AddressKind;
  /** With `project` and `issue`: the project. */
  projectId?: string;
  /** With `session`: the gateway's session key. */
  sessionKey?: string;
}

/** What a conversation is about. */
export type AddressKind = "dm" | "project" | "issue" | "session" | (string & {});

/** An entity of type `agent`, at most 8 KiB. Its id is in its key. */
export interface AgentEntity {
  /** Where it lives. */
  instanceId: string;
  /** Whether the gateway uses it when no agent is named. */
  isDefault?: boolean;
  /** The model it is configured with. */
  model?: string;
  /** Its display name. */
  name: string;
  /** A word. */
  status?: string;
  /** Since when it says this, by the clock of the hub; what an instance says is replaced. */
  statusAt?: Instant;
  /** A sentence. */
  statusText?: string;
}

/** Command `agent.ping`: asks whether an agent can be reached; completes when its gateway knows it. */
export interface AgentPing {
  /** The agent. */
  agentId: string;
}

/** The command `agent.ping`. */
export interface AgentPingCommand {
  /** What it carries. */
  data: AgentPing;
  /** The kind. */
  kind: "agent.ping";
}

/** `agent.removed`. */
export type AgentRemoved = Record<string, unknown>;

/** A recorded `agent.removed`. */
export interface AgentRemovedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: AgentRemoved;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "agent.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `agent`. */
export interface AgentRow {
  /** `agent/<id>`. */
  entity: `agent/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: AgentEntity;
}

/** `agent.statusChanged`: what the agent says about itself. */
export interface AgentStatusChanged {
  /** A word. */
  status: string;
  /** Since when it says this, by the clock of the hub; what an instance says is replaced. */
  statusAt?: Instant | null;
  /** A sentence. */
  statusText?: string | null;
}

/** A recorded `agent.statusChanged`. */
export interface AgentStatusChangedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: AgentStatusChanged;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "agent.statusChanged";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `agent.upserted`: an agent of a gateway. */
export interface AgentUpserted {
  /** Where it lives. */
  instanceId: string;
  /** Whether the gateway uses it when no agent is named. */
  isDefault?: boolean | null;
  /** The model it is configured with. */
  model?: string | null;
  /** Its display name. */
  name: string;
}

/** A recorded `agent.upserted`. */
export interface AgentUpsertedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: AgentUpserted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "agent.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** Command `approval.decide`: answers an approval. The first one wins. */
export interface ApprovalDecide {
  /** The approval. */
  approvalId: string;
  /** The answer, one of its `allowedDecisions`. */
  decision: ApprovalDecision;
  /** The `rev` of the approval that the person saw; refused `changed` when the row has been rewritten since. */
  rev: number;
}

/** The command `approval.decide`. */
export interface ApprovalDecideCommand {
  /** What it carries. */
  data: ApprovalDecide;
  /** The kind. */
  kind: "approval.decide";
}

/** `approval.decided`: a person answered; written by the hub when it accepts `approval.decide`. */
export interface ApprovalDecided {
  /** Who. */
  by: Author;
  /** The command that carries the answer to the gateway. */
  commandId: string;
  /** When. */
  decidedAt: Instant;
  /** The answer. */
  decision: ApprovalDecision;
  /** Always `decided`. */
  state: "decided";
}

/** A recorded `approval.decided`. */
export interface ApprovalDecidedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ApprovalDecided;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "approval.decided";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** What a person may answer. */
export type ApprovalDecision = "allow-once" | "allow-always" | "deny";

/** An entity of type `approval`, at most 8 KiB. Its id is in its key. */
export interface ApprovalEntity {
  /** Its agent's entity id. */
  agentId?: string;
  /** The answers the gateway takes. */
  allowedDecisions: Array<ApprovalDecision>;
  /** Who. */
  by?: Author;
  /** The whole command; a person sees all of it before they may allow it. At most 6 KiB. */
  command: string;
  /** The command that carries the answer to the gateway. */
  commandId?: string;
  /** The conversation of the run that asks, when there is one. */
  conversationId?: string;
  /** When. */
  decidedAt?: Instant;
  /** The answer. */
  decision?: ApprovalDecision;
  /** When the gateway stops waiting, by the clock of the hub. */
  expiresAt?: Instant;
  /** Where the gateway would run it, in its words, for instance `gateway` or a node's name. */
  host?: string;
  /** Where it would run. */
  instanceId: string;
  /** What came of it. */
  outcome?: ApprovalOutcome;
  /** Why, in the gateway's words. */
  reason?: string;
  /** When it was asked, by the clock of the hub. */
  requestedAt: Instant;
  /** When. */
  resolvedAt?: Instant;
  /** Who answered, in the gateway's words, when it was not decided here. */
  resolvedBy?: string;
  /** The run that asks and waits. */
  runId?: string;
  /** Always `pending`. */
  state: ApprovalState;
  /** What the gateway warns of. */
  warning?: string;
}

/** `approval.expired`: the gateway has forgotten it; nothing ran. */
export interface ApprovalExpired {
  /** When that was seen. */
  resolvedAt: Instant;
  /** Always `expired`. */
  state: "expired";
}

/** A recorded `approval.expired`. */
export interface ApprovalExpiredEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ApprovalExpired;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "approval.expired";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** What came of an approval, by the gateway's record. */
export type ApprovalOutcome = "allowed" | "denied" | "cancelled";

/** `approval.reopened`: the answer did not reach the gateway; derived by the hub. Removes what `approval.decided` set. */
export interface ApprovalReopened {
  /** Always `null`. */
  by?: Author | null;
  /** Always `null`. */
  commandId?: string | null;
  /** Always `null`. */
  decidedAt?: Instant | null;
  /** Always `null`. */
  decision?: ApprovalDecision | null;
  /** Always `pending`. */
  state: "pending";
}

/** A recorded `approval.reopened`. */
export interface ApprovalReopenedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ApprovalReopened;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "approval.reopened";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `approval.requested`: an agent asks a person before it runs a command. */
export interface ApprovalRequested {
  /** Its agent's entity id. */
  agentId?: string;
  /** The answers the gateway takes. */
  allowedDecisions: Array<ApprovalDecision>;
  /** The whole command; a person sees all of it before they may allow it. At most 6 KiB. */
  command: string;
  /** The conversation of the run that asks, when there is one. */
  conversationId?: string;
  /** When the gateway stops waiting, by the clock of the hub. */
  expiresAt?: Instant;
  /** Where the gateway would run it, in its words, for instance `gateway` or a node's name. */
  host?: string;
  /** Where it would run. */
  instanceId: string;
  /** When it was asked, by the clock of the hub. */
  requestedAt: Instant;
  /** The run that asks and waits. */
  runId?: string;
  /** Always `pending`. */
  state: "pending";
  /** What the gateway warns of. */
  warning?: string;
}

/** A recorded `approval.requested`. */
export interface ApprovalRequestedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ApprovalRequested;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "approval.requested";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `approval.resolved`: what came of it, by the gateway's record. */
export interface ApprovalResolved {
  /** The answer the gateway took, when someone gave one. */
  decision?: ApprovalDecision | null;
  /** What came of it. */
  outcome: ApprovalOutcome;
  /** Why, in the gateway's words. */
  reason?: string | null;
  /** When. */
  resolvedAt: Instant;
  /** Who answered, in the gateway's words, when it was not decided here. */
  resolvedBy?: string | null;
  /** Always `resolved`. */
  state: "resolved";
}

/** A recorded `approval.resolved`. */
export interface ApprovalResolvedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ApprovalResolved;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "approval.resolved";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `approval`. */
export interface ApprovalRow {
  /** `approval/<id>`. */
  entity: `approval/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: ApprovalEntity;
}

/** Where an approval is. Only the gateway's own record ends one. */
export type ApprovalState = "pending" | "decided" | "resolved" | "expired";

/** Who wrote a message. */
export interface Author {
  /** The member's or agent's id. */
  id?: string;
  /** A display name. */
  name?: string;
  /** What kind of author. */
  type: AuthorType;
}

/** What an author is. */
export type AuthorType = "member" | "agent" | "external" | "system" | (string & {});

/** The program that connects the instance. */
export interface BridgeInfo {
  /** Its name. */
  name: string;
  /** Its version. */
  version: string;
}

/** The client goes away on purpose. */
export interface ByeFrame {
  /** Why, for logs. */
  reason?: string;
  /** Which frame this is. */
  type: "bye";
}

/** A frame from a client to the hub. */
export type ClientFrame = HelloFrame | SubscribeFrame | UnsubscribeFrame | PublishFrame | SignalFrame | CommandFrame | FetchFrame | AckFrame | PongFrame | ProbeFrame | ByeFrame;

/** Which program this is; for logs and the fleet view. */
export interface ClientInfo {
  /** For instance `@otter-camp/client` or `otter-bridge`. */
  name: string;
  /** Its version. */
  version: string;
}

/** What a person may ask for: the `kind` and `data` of a `command` frame. */
export type Command = MessageSendCommand | RunAbortCommand | SessionResetCommand | ApprovalDecideCommand | TaskCreateCommand | TaskUpdateCommand | TaskDispatchCommand | FeedMarkReadCommand | FeedArchiveCommand | ConversationUpdateCommand | ConversationMarkReadCommand | AgentPingCommand | CommandCancelCommand | InstanceRemoveCommand;

/** Command `command.cancel`: calls a command off, if it was not attempted yet. */
export interface CommandCancel {
  /** The command to call off. */
  commandId: string;
}

/** The command `command.cancel`. */
export interface CommandCancelCommand {
  /** What it carries. */
  data: CommandCancel;
  /** The kind. */
  kind: "command.cancel";
}

/** A command for the instance it is sent to. It may arrive again after a reconnect. */
export interface CommandDispatchFrame {
  /** The address of the conversation, when there is one. */
  address?: Address;
  /** Who asked. */
  by: Author;
  /** Someone asked to cancel it, if it was not attempted yet. */
  cancel: boolean;
  /** What the kind carries: see the definition of the command. */
  data: Record<string, unknown>;
  /** The idempotency key. */
  id: string;
  /** A command of the catalogue. */
  kind: string;
  /** How long it may still wait to be attempted, counted from receipt. */
  ttlMs: number;
  /** Which frame this is. */
  type: "command";
}

/** An entity of type `command`, at most 8 KiB. Its id is in its key. */
export interface CommandEntity {
  /** Who asked. */
  by?: Author;
  /** Someone asked to cancel it. */
  cancelRequested?: boolean;
  /** The conversation it concerns. */
  conversationId?: string;
  /** The entity it concerns, as `type/id`, when it is neither a conversation nor a run. */
  entity?: string;
  /** Why it ended without success. */
  error?: StageError;
  /** When it expires if it was not attempted, by the hub's clock. */
  expiresAt?: Instant;
  /** Who carries it out; absent when the hub does. */
  instanceId?: string;
  /** When the hub accepted it. */
  issuedAt?: Instant;
  /** The command's kind. */
  kind?: string;
  /** What came of it, for instance `alreadyEnded`; of an integrator's command whatever it answers. A longer one is cut to its head. */
  result?: string;
  /** The run it concerns. */
  runId?: string;
  /** Whether it was handed to a socket of the instance. */
  sent?: boolean;
  /** How far it got. */
  stage: CommandStage;
  /** The result was cut: fetch the whole. */
  truncated?: boolean;
}

/** Asks for something to happen; answered by one `reply`, then by `command.updated` events. */
export interface CommandFrame {
  /** What the kind carries: see the definition of the command. */
  data: Record<string, unknown>;
  /** A UUIDv7 made by the client: the idempotency key everywhere. The same id with other content is refused. */
  id: string;
  /** A command of the catalogue, for instance `message.send`. */
  kind: string;
  /** Which frame this is. */
  type: "command";
}

/** A row of type `command`. */
export interface CommandRow {
  /** `command/<id>`. */
  entity: `command/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: CommandEntity;
}

/** How far a command got. Stages never go back. */
export type CommandStage = "accepted" | "received" | "started" | "completed" | "failed" | "rejected" | "cancelled" | "expired" | "outcomeUnknown";

/** `command.updated`: the hub writes the first, then the instance it is addressed to. */
export interface CommandUpdated {
  /** Who asked. */
  by?: Author | null;
  /** Someone asked to cancel it. */
  cancelRequested?: boolean | null;
  /** The conversation it concerns. */
  conversationId?: string | null;
  /** The entity it concerns, as `type/id`, when it is neither a conversation nor a run. */
  entity?: string | null;
  /** Why it ended without success. */
  error?: StageError | null;
  /** When it expires if it was not attempted, by the hub's clock. */
  expiresAt?: Instant | null;
  /** Who carries it out; absent when the hub does. */
  instanceId?: string | null;
  /** When the hub accepted it. */
  issuedAt?: Instant | null;
  /** The command's kind. */
  kind?: string | null;
  /** What came of it, for instance `alreadyEnded`; of an integrator's command whatever it answers. A longer one is cut to its head. */
  result?: string | null;
  /** The run it concerns. */
  runId?: string | null;
  /** Whether it was handed to a socket of the instance. */
  sent?: boolean | null;
  /** How far it got. */
  stage: CommandStage;
  /** The result was cut: fetch the whole. */
  truncated?: boolean | null;
}

/** A recorded `command.updated`. */
export interface CommandUpdatedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: CommandUpdated;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "command.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** One commit of a push. */
export interface Commit {
  /** Who wrote it. */
  author?: string;
  /** Its hash. */
  id: string;
  /** Its first line. */
  title: string;
}

/** Whether the hub hears the instance: observed by the hub, changed only when its lease changes. */
export type Connection = "online" | "offline";

/** Tokens of the context in use. Not a lifetime total, not the input of the last call. */
export interface ContextUsed {
  /** When the gateway counted. */
  at?: Instant;
  /** Whether the count is of the current context; false after a compaction until the next call. */
  fresh: boolean;
  /** Tokens. */
  value: number;
}

/** An entity of type `conversation`, at most 8 KiB. Its id is in its key. */
export interface ConversationEntity {
  /** The newest run that is still open; `null` when none is. */
  activeRun?: string;
  /** What it is about. */
  address: Address;
  /** Its agent's entity id. */
  agentId: string;
  /** Out of the way; its session may be gone. */
  archived?: boolean;
  /** A title made from its content, by the gateway. */
  derivedTitle?: string;
  /** When the hub first heard of it, by the clock of the hub; what an instance says is replaced. */
  firstSeenAt?: Instant;
  /** A folder's name. */
  folder?: string;
  /** How many of them are older than `firstSeenAt`: history, which nobody has to read; never decreases. */
  importedCount?: number;
  /** Where its agent lives. */
  instanceId: string;
  /** The newest row. */
  lastMessage?: LastMessage;
  /** How many messages it ever had; never decreases. */
  messageCount?: number;
  /** Kept on top. */
  pinned?: boolean;
  /** A title that a person gave. */
  title?: string;
}

/** Command `conversation.markRead`: this person has read a conversation up to a count of messages. */
export interface ConversationMarkRead {
  /** The conversation. */
  conversationId: string;
  /** Its `messageCount` when the person saw its end. */
  messageCount: number;
}

/** The command `conversation.markRead`. */
export interface ConversationMarkReadCommand {
  /** What it carries. */
  data: ConversationMarkRead;
  /** The kind. */
  kind: "conversation.markRead";
}

/** A row of type `conversation`. */
export interface ConversationRow {
  /** `conversation/<id>`. */
  entity: `conversation/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: ConversationEntity;
}

/** Command `conversation.update`: what people give a conversation. What is absent stays; `null` removes. */
export interface ConversationUpdate {
  /** Out of the way. */
  archived?: boolean | null;
  /** The conversation. */
  conversationId: string;
  /** A folder's name, 1 to 80 characters. */
  folder?: string | null;
  /** Kept on top. */
  pinned?: boolean | null;
  /** A title, 1 to 200 characters; without one the derived title is shown. */
  title?: string | null;
}

/** The command `conversation.update`. */
export interface ConversationUpdateCommand {
  /** What it carries. */
  data: ConversationUpdate;
  /** The kind. */
  kind: "conversation.update";
}

/** `conversation.updated`: title, pinned and folder are people's; the rest is derived by the hub or the bridge. */
export interface ConversationUpdated {
  /** The newest run that is still open; `null` when none is. */
  activeRun?: string | null;
  /** Out of the way; its session may be gone. */
  archived?: boolean | null;
  /** A title made from its content. */
  derivedTitle?: string | null;
  /** A folder's name. */
  folder?: string | null;
  /** How many of them are older than `firstSeenAt`: history, which nobody has to read; never decreases. */
  importedCount?: number | null;
  /** The newest row. */
  lastMessage?: LastMessage | null;
  /** How many messages it ever had; never decreases. */
  messageCount?: number | null;
  /** Kept on top. */
  pinned?: boolean | null;
  /** A title that a person gave. */
  title?: string | null;
}

/** A recorded `conversation.updated`. */
export interface ConversationUpdatedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ConversationUpdated;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "conversation.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `conversation.upserted`: a conversation of an instance. */
export interface ConversationUpserted {
  /** What it is about. */
  address: Address;
  /** Its agent's entity id. */
  agentId: string;
  /** A title made from its content, by the gateway. */
  derivedTitle?: string | null;
  /** When the hub first heard of it, by the clock of the hub; what an instance says is replaced. */
  firstSeenAt?: Instant | null;
  /** Where its agent lives. */
  instanceId: string;
}

/** A recorded `conversation.upserted`. */
export interface ConversationUpsertedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: ConversationUpserted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "conversation.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** How far a person's message got. */
export interface Delivery {
  /** The run it was steered into. */
  intoRun?: string;
  /** With `failed`: why. */
  reason?: string;
  /** The state. */
  state: DeliveryState;
}

/** How far a person's message got. */
export type DeliveryState = "pending" | "taken" | "queued" | "delivered" | "failed";

/** The hub will go away: reconnect at a random time inside the window. */
export interface DrainFrame {
  /** Which frame this is. */
  type: "drain";
  /** The window, in milliseconds. */
  windowMs: number;
}

/** What an event does to one entity. `value` omitted means the event's `data`. An op that you do not know means that you are too old: stop and say so. */
export interface Effect {
  /** `type/id`, in the event's scope. */
  entity: string;
  /** `put` replaces, `merge` merges (RFC 7396), `delete` removes, `evict` takes out of the live window. */
  op: "put" | "merge" | "delete" | "evict";
  /** What is put or merged, when it is not `data`. */
  value?: Record<string, unknown>;
}

/** A row of a known type. Anything else is a SnapshotRow; keep it. */
export type Entity = InstanceRow | AgentRow | SessionRow | ConversationRow | MessageRow | RunRow | StepRow | TaskRow | ApprovalRow | FeedItemRow | MarkRow | ActivityRow | RepoRow | CommandRow | MemberRow;

/** An error as it travels: in replies, refusals and rejections. */
export interface ErrorBody {
  /** The word programs compare. */
  code: ErrorCode;
  /** A sentence that says what to do. */
  message: string;
  /** A JSON pointer to the member at fault. */
  pointer?: string;
  /** When to try again at the earliest, in milliseconds. */
  retryAfterMs?: number;
  /** Whether the same request can succeed later, unchanged. */
  retryable: boolean;
}

/** What went wrong, as a word programs compare. Codes may be added within v1: treat an unknown one by `retryable`. */
export type ErrorCode = "badFrame" | "unknownFrame" | "unexpectedFrame" | "tooLarge" | "tooDeep" | "unsupportedVersion" | "authRequired" | "authExpired" | "revoked" | "badOrigin" | "forbidden" | "forked" | "superseded" | "unknownScope" | "notSubscribed" | "badId" | "unknownKind" | "notPublisher" | "wrongLane" | "invalidData" | "notOwner" | "entityTooLarge" | "publishGap" | "staleProducerEpoch" | "unknownCommand" | "notFound" | "instanceOffline" | "tooManyOpen" | "idempotencyMismatch" | "alreadyEnded" | "changed" | "alreadyDecided" | "decisionNotAllowed" | "expired" | "roleRequired" | "rateLimited" | "overloaded" | "unavailable" | "storageFull" | "silent" | "helloTimeout" | "internal" | (string & {});

/** A frame of the client was refused; nothing else was affected. */
export interface ErrorFrame {
  /** What was wrong with it. */
  error: ErrorBody;
  /** Which frame this is. */
  type: "error";
}

/** A recorded event of a known kind. Anything else is a RecordedEvent: apply its effects and keep it. */
export type Event = InstanceConnectedEvent | InstanceDisconnectedEvent | InstanceUpdatedEvent | InstanceGapEvent | InstanceRemovedEvent | AgentUpsertedEvent | AgentStatusChangedEvent | AgentRemovedEvent | SessionUpsertedEvent | SessionEndedEvent | SessionCompactedEvent | ConversationUpsertedEvent | ConversationUpdatedEvent | MessageCreatedEvent | MessageDeliveryChangedEvent | MessageEditedEvent | MessageRemovedEvent | RunStartedEvent | RunCompletedEvent | RunFailedEvent | RunAbortedEvent | StepRecordedEvent | TaskUpsertedEvent | TaskDispatchedEvent | TaskRemovedEvent | ApprovalRequestedEvent | ApprovalDecidedEvent | ApprovalResolvedEvent | ApprovalExpiredEvent | ApprovalReopenedEvent | FeedItemAddedEvent | FeedItemUpdatedEvent | FeedItemRemovedEvent | MarkUpdatedEvent | ActivityRecordedEvent | RepoPushedEvent | CommandUpdatedEvent | MemberJoinedEvent | MemberUpdatedEvent | MemberRemovedEvent;

/** Consecutive events of one scope. The frame has at most 256 KiB. */
export interface EventsFrame {
  /** The epoch of the events' seq. */
  epoch: string;
  /** In order of seq. */
  events: Array<RecordedEvent>;
  /** The state hash after the last event; absent on pages read from the log. */
  hash?: string;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Which frame this is. */
  type: "events";
}

/** Command `feed.archive`: puts items away for everyone, or brings them back. */
export interface FeedArchive {
  /** `false` brings them back. */
  archived: boolean;
  /** The items, 1 to 100. */
  itemIds: Array<string>;
}

/** The command `feed.archive`. */
export interface FeedArchiveCommand {
  /** What it carries. */
  data: FeedArchive;
  /** The kind. */
  kind: "feed.archive";
}

/** What a feed item is; decides how it is shown. */
export type FeedCategory = "email" | "market" | "social" | "alert" | "custom" | (string & {});

/** `feed.itemAdded`: something happened that people may want to know. */
export interface FeedItemAdded {
  /** The agent that pushed it. */
  agentId?: string;
  /** The text, Markdown, at most 6 KiB. */
  body?: string;
  /** What it is. */
  category: FeedCategory;
  /** The change, for instance `+3.4 %`; a leading `-` or `+` gives its colour. */
  change?: string;
  /** Anything else, as JSON text; at most 4 KiB. */
  detail?: string;
  /** Who it is from: a sender, an author, a service. */
  from?: string;
  /** The author's name in their network, for instance `@otter`. */
  handle?: string;
  /** The instance it came through. */
  instanceId?: string;
  /** When it happened; the feed is ordered by it. */
  occurredAt: Instant;
  /** The price, a decimal with its currency as people write it, for instance `41.20 USD`. */
  price?: string;
  /** How much an alert matters. */
  severity?: Severity;
  /** The symbol of a market item, for instance `OTTR`. */
  symbol?: string;
  /** One line, 1 to 300 characters. */
  title: string;
  /** Where to read more; shown as a link only when it is `https`. */
  url?: string;
}

/** A recorded `feed.itemAdded`. */
export interface FeedItemAddedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: FeedItemAdded;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "feed.itemAdded";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An entity of type `feedItem`, at most 8 KiB. Its id is in its key. */
export interface FeedItemEntity {
  /** The agent that pushed it. */
  agentId?: string;
  /** Put away for everyone; only people do that. */
  archived?: boolean;
  /** When it was put away. */
  archivedAt?: Instant;
  /** Who put it away. */
  archivedBy?: Author;
  /** The text, Markdown, at most 6 KiB. */
  body?: string;
  /** What it is. */
  category: FeedCategory;
  /** The change, for instance `+3.4 %`; a leading `-` or `+` gives its colour. */
  change?: string;
  /** Anything else, as JSON text; at most 4 KiB. */
  detail?: string;
  /** Who it is from: a sender, an author, a service. */
  from?: string;
  /** The author's name in their network, for instance `@otter`. */
  handle?: string;
  /** The instance it came through. */
  instanceId?: string;
  /** When it happened; the feed is ordered by it. */
  occurredAt: Instant;
  /** The price, a decimal with its currency as people write it, for instance `41.20 USD`. */
  price?: string;
  /** How much an alert matters. */
  severity?: Severity;
  /** The symbol of a market item, for instance `OTTR`. */
  symbol?: string;
  /** One line, 1 to 300 characters. */
  title: string;
  /** Where to read more; shown as a link only when it is `https`. */
  url?: string;
}

/** `feed.itemRemoved`. */
export type FeedItemRemoved = Record<string, unknown>;

/** A recorded `feed.itemRemoved`. */
export interface FeedItemRemovedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: FeedItemRemoved;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "feed.itemRemoved";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `feedItem`. */
export interface FeedItemRow {
  /** `feedItem/<id>`. */
  entity: `feedItem/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: FeedItemEntity;
}

/** `feed.itemUpdated`: what changed of an item. */
export interface FeedItemUpdated {
  /** Put away for everyone; only people do that. */
  archived?: boolean | null;
  /** When it was put away. */
  archivedAt?: Instant | null;
  /** Who put it away. */
  archivedBy?: Author | null;
  /** The text. */
  body?: string | null;
  /** The change. */
  change?: string | null;
  /** The price. */
  price?: string | null;
  /** How much an alert matters. */
  severity?: Severity | null;
  /** One line. */
  title?: string | null;
}

/** A recorded `feed.itemUpdated`. */
export interface FeedItemUpdatedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: FeedItemUpdated;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "feed.itemUpdated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** Command `feed.markRead`: this person has read these items. */
export interface FeedMarkRead {
  /** The items, 1 to 100. */
  itemIds: Array<string>;
}

/** The command `feed.markRead`. */
export interface FeedMarkReadCommand {
  /** What it carries. */
  data: FeedMarkRead;
  /** The kind. */
  kind: "feed.markRead";
}

/** Asks for rows of a subscribed scope that are not in its state; answered by one `page`. A new `subscribed` of the scope ends those that are open, without an answer. */
export interface FetchFrame {
  /** Where to go on: the `next` of the page before, or the place of the oldest row at hand; absent: from the newest row, or the beginning of the text. */
  before?: PageKey;
  /** One entity, answered with the text that it shows only the head of, in parts when it is long. */
  entity?: string;
  /** The type whose rows are listed, from new to old. This or `entity`. */
  entityType?: string;
  /** A number that the answer repeats; the client never reuses it on a connection. */
  id: number;
  /** At most this many rows, 1 to 100; absent: 100. */
  limit?: number;
  /** The scope; it must be subscribed. */
  scope: string;
  /** Which frame this is. */
  type: "fetch";
}

/** The bridge's link to its gateway. */
export interface GatewayLink {
  /** The gateway's process run. */
  bootId?: string;
  /** What to do about it, in words. */
  reason?: string;
  /** With `pairing`: the request to approve. */
  requestId?: string;
  /** Since when this state holds. */
  since?: Instant;
  /** The state. */
  state: GatewayState;
  /** The gateway's version. */
  version?: string;
}

/** The bridge's link to its gateway, as the bridge reports it. */
export type GatewayState = "connecting" | "online" | "waking" | "offline" | "pairing" | "refused" | (string & {});

/** The first frame of a connection. The hub answers with `welcome` or `refuse`, then one `subscribed` per subscription, in order. */
export interface HelloFrame {
  /** Instances, and there at least one: this process run first, then earlier ones, newest first, at most 64. */
  boots?: Array<string>;
  /** Optional abilities, for instance `binary`. */
  capabilities?: Array<string>;
  /** The program. */
  client: ClientInfo;
  /** Versions the client speaks. */
  protocol: VersionRange;
  /** Scopes to subscribe at once. */
  subscribe?: Array<Subscription>;
  /** Which frame this is. */
  type: "hello";
}

/** A close with this code follows. */
export interface HubByeFrame {
  /** The close code. */
  code: number;
  /** Why. */
  reason: string;
  /** When to come back at the earliest. */
  retryAfterMs?: number;
  /** Which frame this is. */
  type: "bye";
}

/** A frame from the hub to a client. */
export type HubFrame = WelcomeFrame | RefuseFrame | SubscribedFrame | SnapshotFrame | EventsFrame | PageFrame | SignalFrame | PublishedFrame | CommandDispatchFrame | ReplyFrame | ResyncFrame | PingFrame | ProbedFrame | ErrorFrame | DrainFrame | HubByeFrame;

/** `instance.connected`: the hub accepted the instance's socket. */
export interface InstanceConnected {
  /** The bridge. */
  bridge?: BridgeInfo | null;
  /** When. */
  connectedAt: Instant;
  /** Always `online`. */
  connection: "online";
  /** The display name given when the instance was added. */
  name?: string | null;
  /** Why it was away; removed by this event. */
  reason?: string | null;
}

/** A recorded `instance.connected`. */
export interface InstanceConnectedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: InstanceConnected;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "instance.connected";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `instance.disconnected`: the grace time after its last sign of life is over. */
export interface InstanceDisconnected {
  /** Always `offline`. */
  connection: "offline";
  /** When its socket was lost. */
  disconnectedAt: Instant;
  /** Why, in a word or a sentence. */
  reason?: string | null;
}

/** A recorded `instance.disconnected`. */
export interface InstanceDisconnectedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: InstanceDisconnected;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "instance.disconnected";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An entity of type `instance`, at most 8 KiB. Its id is in its key. */
export interface InstanceEntity {
  /** The bridge. */
  bridge?: BridgeInfo;
  /** When. */
  connectedAt?: Instant;
  /** Always `online`. */
  connection?: Connection;
  /** When its socket was lost. */
  disconnectedAt?: Instant;
  /** The newest gap. */
  gap?: LaneGap;
  /** The link to the gateway; replaced whole. */
  gateway?: GatewayLink;
  /** The display name given when the instance was added. */
  name?: string;
  /** The outbox. */
  outbox?: OutboxDepth;
  /** Why it was away; removed by this event. */
  reason?: string;
}

/** `instance.gap`. */
export interface InstanceGap {
  /** The newest gap. */
  gap: LaneGap;
}

/** A recorded `instance.gap`. */
export interface InstanceGapEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: InstanceGap;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "instance.gap";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `instance.heartbeat`: the bridge is alive, whatever its gateway does. */
export interface InstanceHeartbeat {
  /** When, by the bridge's clock. */
  at: Instant;
  /** When the hub heard it, by the hub's clock; set by the hub. The age that is shown counts from here. */
  heardAt?: Instant;
  /** The instance. */
  instanceId: string;
  /** What waits in it. */
  outbox?: OutboxDepth;
}

/** The signal `instance.heartbeat`. */
export interface InstanceHeartbeatSignal {
  /** What it carries. */
  data: InstanceHeartbeat;
  /** The kind. */
  kind: "instance.heartbeat";
}

/** Command `instance.remove`: takes an instance out of the org and ends its credential. What it published stays. */
export interface InstanceRemove {
  /** The instance. */
  instanceId: string;
}

/** The command `instance.remove`. */
export interface InstanceRemoveCommand {
  /** What it carries. */
  data: InstanceRemove;
  /** The kind. */
  kind: "instance.remove";
}

/** `instance.removed`: an admin took it out of the org. It is not let in again under this id. */
export type InstanceRemoved = Record<string, unknown>;

/** A recorded `instance.removed`. */
export interface InstanceRemovedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: InstanceRemoved;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "instance.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `instance`. */
export interface InstanceRow {
  /** `instance/<id>`. */
  entity: `instance/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: InstanceEntity;
}

/** `instance.updated`: what the bridge says about itself. */
export interface InstanceUpdated {
  /** The link to the gateway; replaced whole. */
  gateway?: GatewayLink | null;
  /** A display name. */
  name?: string | null;
  /** The outbox. */
  outbox?: OutboxDepth | null;
}

/** A recorded `instance.updated`. */
export interface InstanceUpdatedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: InstanceUpdated;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "instance.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An instant: RFC 3339 in UTC with three decimals. */
export type Instant = string;

/** An independent FIFO of an outbox. */
export type Lane = "bulk" | "main";

/** What the hub has of one lane. */
export interface LaneCursor {
  /** The id of that event. */
  lastId?: string;
  /** The generation the hub knows; 0 when it has never heard from this lane. */
  producerEpoch: number;
  /** Rejections the instance has not confirmed with `rejectedSeen`, at most 1,000. */
  rejected?: Array<Rejection>;
  /** The number of the last event it committed (appended, skipped or rejected). */
  upTo: number;
}

/** A lane whose outbox was replaced: events may be missing. */
export interface LaneGap {
  /** When the hub saw the next one. */
  at: Instant;
  /** The generation that ended. */
  fromEpoch: number;
  /** The lane. */
  lane: Lane;
}

/** The lanes of an instance. */
export interface Lanes {
  /** Activity, the feed, sessions and repositories. */
  bulk: LaneCursor;
  /** Everything else, integrators' kinds too. */
  main: LaneCursor;
}

/** The newest row of a conversation, derived by the hub. */
export interface LastMessage {
  /** Its author. */
  author: Author;
  /** The first 200 characters. */
  head: string;
  /** The message. */
  id: string;
  /** When. */
  sentAt: Instant;
}

/** The limits of one connection, announced in `welcome`. Later releases may raise them, never lower them below [`Limits::V1`]. */
export interface Limits {
  /** How many commands one connection may send in a minute. */
  commandsPerMinute: number;
  /** The largest published event, in bytes. */
  eventBytes: number;
  /** The longest message a client may send, in bytes. */
  frameBytes: number;
  /** How many bytes of events a publisher may have unacknowledged per lane. */
  publishBytes: number;
  /** How many scopes one connection may subscribe. */
  subscriptions: number;
  /** How many bytes of data frames the hub sends before it waits for an `ack`. */
  windowBytes: number;
}

/** An entity of type `mark`, at most 8 KiB. Its id is in its key. */
export interface MarkEntity {
  /** With `conversation`: how many of its messages were read; never decreases. */
  messageCount?: number;
  /** When. */
  readAt: Instant;
  /** What it is about. */
  target: MarkTarget;
}

/** A row of type `mark`. */
export interface MarkRow {
  /** `mark/<id>`. */
  entity: `mark/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: MarkEntity;
}

/** What a mark is about. */
export type MarkTarget = "conversation" | "feed" | (string & {});

/** `mark.updated`: unread messages of a conversation are its `messageCount` minus the mark's or, where that is more, minus its `importedCount`, at least 0; a feed item with a mark has been read. */
export interface MarkUpdated {
  /** With `conversation`: how many of its messages were read; never decreases. */
  messageCount?: number | null;
  /** When. */
  readAt: Instant;
  /** What it is about. */
  target: MarkTarget;
}

/** A recorded `mark.updated`. */
export interface MarkUpdatedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MarkUpdated;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "mark.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An entity of type `member`, at most 8 KiB. Its id is in its key. */
export interface MemberEntity {
  /** When. */
  joinedAt: Instant;
  /** A display name. */
  name: string;
  /** Rights. */
  role: MemberRole;
}

/** `member.joined`. */
export interface MemberJoined {
  /** When. */
  joinedAt: Instant;
  /** A display name. */
  name: string;
  /** Rights. */
  role: MemberRole;
}

/** A recorded `member.joined`. */
export interface MemberJoinedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MemberJoined;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "member.joined";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `member.removed`. */
export type MemberRemoved = Record<string, unknown>;

/** A recorded `member.removed`. */
export interface MemberRemovedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MemberRemoved;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "member.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A person's rights; each role includes the ones before it. */
export type MemberRole = "viewer" | "member" | "admin" | "owner";

/** A row of type `member`. */
export interface MemberRow {
  /** `member/<id>`. */
  entity: `member/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: MemberEntity;
}

/** `member.updated`. */
export interface MemberUpdated {
  /** A display name. */
  name?: string | null;
  /** Rights. */
  role?: MemberRole | null;
}

/** A recorded `member.updated`. */
export interface MemberUpdatedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MemberUpdated;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "member.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `message.created`: a row of a conversation. */
export interface MessageCreated {
  /** A history row may name the row that it follows; consumed by the hub. */
  after?: string;
  /** Who wrote it. */
  author: Author;
  /** The command that made it. */
  commandId?: string;
  /** Its conversation. */
  conversationId: string;
  /** With a person's message: how far it got. */
  delivery?: Delivery;
  /** A row of the gateway's own making, shown collapsed. */
  internal?: boolean;
  /** With an answer: the run that made it. */
  runId?: string;
  /** When. Set by the hub for live rows; a row that comes with it is history. */
  sentAt?: Instant;
  /** Whether it is whole. */
  status: MessageStatus;
  /** What it says; cut to its head when it is long (see `truncated`). */
  text: string;
  /** Whether `text` is only the head of the whole. */
  truncated?: boolean;
}

/** A recorded `message.created`. */
export interface MessageCreatedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MessageCreated;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "message.created";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `message.deliveryChanged`. */
export interface MessageDeliveryChanged {
  /** How far it got; never goes back. */
  delivery: Delivery;
}

/** A recorded `message.deliveryChanged`. */
export interface MessageDeliveryChangedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MessageDeliveryChanged;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "message.deliveryChanged";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `message.delta`: text of a running answer. */
export interface MessageDelta {
  /** Where `text` goes, in UTF-16 code units; 0 replaces everything. */
  offset: number;
  /** The run's entity id; the text becomes message `<runId>:answer`. */
  runId: string;
  /** The text from there on. */
  text: string;
}

/** The signal `message.delta`. */
export interface MessageDeltaSignal {
  /** What it carries. */
  data: MessageDelta;
  /** The kind. */
  kind: "message.delta";
}

/** `message.edited`. */
export interface MessageEdited {
  /** When. */
  editedAt: Instant;
  /** The new text. */
  text: string;
}

/** A recorded `message.edited`. */
export interface MessageEditedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MessageEdited;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "message.edited";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An entity of type `message`, at most 32 KiB. Its id is in its key. */
export interface MessageEntity {
  /** A history row may name the row that it follows; consumed by the hub. */
  after?: string;
  /** Who wrote it. */
  author: Author;
  /** The command that made it. */
  commandId?: string;
  /** Its conversation. */
  conversationId: string;
  /** With a person's message: how far it got. */
  delivery?: Delivery;
  /** When. */
  editedAt?: Instant;
  /** A row of the gateway's own making, shown collapsed. */
  internal?: boolean;
  /** With an answer: the run that made it. */
  runId?: string;
  /** When. Set by the hub for live rows; a row that comes with it is history. */
  sentAt?: Instant;
  /** Whether it is whole. */
  status: MessageStatus;
  /** What it says; cut to its head when it is long (see `truncated`). */
  text: string;
  /** Whether `text` is only the head of the whole. */
  truncated?: boolean;
}

/** `message.removed`. */
export type MessageRemoved = Record<string, unknown>;

/** A recorded `message.removed`. */
export interface MessageRemovedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: MessageRemoved;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "message.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `message`. */
export interface MessageRow {
  /** `message/<id>`. */
  entity: `message/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: MessageEntity;
}

/** Command `message.send`: says something to an agent. */
export interface MessageSend {
  /** The conversation. */
  conversationId: string;
  /** What to say; 1 byte to 200 KiB. */
  text: string;
}

/** The command `message.send`. */
export interface MessageSendCommand {
  /** What it carries. */
  data: MessageSend;
  /** The kind. */
  kind: "message.send";
}

/** How complete a message is. */
export type MessageStatus = "complete" | "aborted" | "interrupted";

/** An event as a publisher sends it. The hub adds seq, prev, at, scope, source and effects. */
export interface NewEvent {
  /** The command that caused it. */
  causedBy?: string;
  /** Names the scope, for kinds that live in a conversation. */
  conversation?: string;
  /** The payload of the kind: see the definition of the event. Free of duplicate keys; keys are 1 to 64 printable ASCII characters without quote and backslash. */
  data: Record<string, unknown>;
  /** Integrators' kinds (`x.*`) only: what it does to their entities. */
  effects?: Array<Effect>;
  /** Unique; observing the same fact again makes a new id, the entity id does the rest. */
  id: string;
  /** A kind of the catalogue. */
  kind: string;
  /** When it happened, by the publisher's clock. */
  observedAt?: Instant;
  /** The entity it is about, without its type. */
  subject: string;
}

/** What waits in the bridge. */
export interface OutboxDepth {
  /** Events that the hub refused for good. */
  dead: number;
  /** Events that the hub has not acknowledged. */
  pending: number;
}

/** Answer to `fetch`: rows of a type from new to old, or one row with a part of its text. The frame has at most 256 KiB. */
export interface PageFrame {
  /** The scope's head when the page was read: not before any event sent earlier. Absent with an error. */
  asOf?: number;
  /** Why there is no page; nothing else is there then. */
  error?: ErrorBody;
  /** With one fetched entity: of the text that its value shows only the head of, the part from `before` on, by member. Parts are appended in order. */
  full?: Record<string, string>;
  /** The number of the fetch. */
  id: number;
  /** What the next `fetch` says as `before`; absent when there is no older row, or no more of the text. */
  next?: PageKey;
  /** From new to old, live or not. */
  rows?: Array<SnapshotRow>;
  /** Which frame this is. */
  type: "page";
}

/** A place in the list of a type: rows are ordered by the type's order key, then by id. In a long text: where the next part begins. */
export interface PageKey {
  /** The row's id, without its type. */
  id: string;
  /** The row's order key, as the hub orders by it: an instant in the form of the protocol, or the text as it is; when the row has none, the hub's time of its last write. In a text: a place that only the hub reads. */
  order: string;
}

/** Heartbeat, queued behind data: everything the hub had for this connection up to `pos` was sent before it. */
export interface PingFrame {
  /** The epoch of `pos` and `heads`. */
  epoch: string;
  /** Heads of scopes that moved since the last ping. */
  heads?: Record<string, number>;
  /** Every subscribed scope is complete up to here. */
  pos: number;
  /** Which frame this is. */
  type: "ping";
}

/** Answer to `ping`. */
export interface PongFrame {
  /** The positions applied so far. */
  pos?: Record<string, number>;
  /** Which frame this is. */
  type: "pong";
}

/** `presence`: a person of the org; one per person whatever the number of their tabs. Made by the hub: online while a page of theirs answers pings, offline 5 s after the last one closed. A new subscription of `org` is told anew who is online; who is not named is not here. */
export interface Presence {
  /** Who. */
  memberId: string;
  /** Their display name. */
  name?: string;
  /** Since when they are in this state, by the clock of the hub. */
  since: Instant;
  /** Whether they are here. */
  state: PresenceState;
}

/** The signal `presence`. */
export interface PresenceSignal {
  /** What it carries. */
  data: Presence;
  /** The kind. */
  kind: "presence";
}

/** Whether a person is here. */
export type PresenceState = "online" | "offline";

/** Who this connection is, as the credential says. */
export interface Principal {
  /** The member's or instance's id. */
  id: string;
  /** A display name. */
  name?: string;
  /** The org everything on this connection belongs to. */
  org: string;
  /** `owner`, `admin`, `member` or `viewer`; members only. */
  role?: string;
  /** A person or an instance. */
  type: PrincipalType;
}

/** Who holds a credential. */
export type PrincipalType = "member" | "instance";

/** Asks for `probed` at once, outside the flow-control window. */
export interface ProbeFrame {
  /** A number that the answer repeats. */
  n: number;
  /** Which frame this is. */
  type: "probe";
}

/** Answer to `probe`. */
export interface ProbedFrame {
  /** The number of the probe. */
  n: number;
  /** The hub's clock. */
  serverTime: Instant;
  /** Which frame this is. */
  type: "probed";
}

/** Consecutive events of one lane of an outbox. */
export interface PublishFrame {
  /** The events. */
  events?: Array<NewEvent>;
  /** The number `n` of the first event; the others follow without holes. Without events: of the next one. */
  first: number;
  /** The lane. */
  lane: Lane;
  /** The generation of this outbox lane, from 1. */
  producerEpoch: number;
  /** The highest rejected `n` the instance has moved to its dead letters; may come without events. */
  rejectedSeen?: number;
  /** Which frame this is. */
  type: "publish";
}

/** Answer to `publish`: everything up to `upTo` is committed and on disk. */
export interface PublishedFrame {
  /** Why nothing more was taken; nothing after `upTo` is committed. */
  error?: ErrorBody;
  /** With `error`: the number expected next, where it is not `upTo` + 1. */
  expected?: number;
  /** The lane. */
  lane: Lane;
  /** The generation this answer is about. */
  producerEpoch: number;
  /** Events of this publish that were refused for good. */
  rejected?: Array<Rejection>;
  /** Which frame this is. */
  type: "published";
  /** The number of the last committed event. */
  upTo: number;
}

/** A recorded event of any kind: what readers check before they look at its kind. */
export interface RecordedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: Record<string, unknown>;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** A kind, known or not. */
  kind: string;
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** The connection is refused; a close follows. */
export interface RefuseFrame {
  /** Why, and what to do. */
  error: ErrorBody;
  /** With `unsupportedVersion`: what the hub speaks. */
  supported?: VersionRange;
  /** Which frame this is. */
  type: "refuse";
}

/** An event that was refused for good. */
export interface Rejection {
  /** Why. */
  code: ErrorCode;
  /** Its id, when it could be read. */
  id?: string;
  /** Its number in the lane. */
  n: number;
  /** The member at fault, as a JSON pointer. */
  pointer?: string;
}

/** Answer to `command`; repeated for the same id. Exactly one of `accepted` and `refused` is there. */
export interface ReplyFrame {
  /** It was accepted. */
  accepted?: Accepted;
  /** With a refusal that depends on state: where that state was read. */
  at?: Record<string, number>;
  /** With a refusal that depends on state: where that state was read. */
  epoch?: string;
  /** The command. */
  id: string;
  /** It was refused. */
  refused?: ErrorBody;
  /** Which frame this is. */
  type: "reply";
}

/** An entity of type `repo`, at most 8 KiB. Its id is in its key. */
export interface RepoEntity {
  /** The branch. */
  branch: string;
  /** Who pushed. */
  by?: string;
  /** How many commits there were. */
  commitCount?: number;
  /** The newest commits, at most 20, newest first. */
  commits?: Array<Commit>;
  /** When. */
  pushedAt: Instant;
  /** For instance `otter/hub`. */
  repository: string;
  /** Where to see it; shown as a link only when it is `https`. */
  url?: string;
}

/** `repo.pushed`: someone pushed to a repository. */
export interface RepoPushed {
  /** The branch. */
  branch: string;
  /** Who pushed. */
  by?: string;
  /** How many commits there were. */
  commitCount?: number;
  /** The newest commits, at most 20, newest first. */
  commits?: Array<Commit>;
  /** When. */
  pushedAt: Instant;
  /** For instance `otter/hub`. */
  repository: string;
  /** Where to see it; shown as a link only when it is `https`. */
  url?: string;
}

/** A recorded `repo.pushed`. */
export interface RepoPushedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: RepoPushed;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "repo.pushed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `repo`. */
export interface RepoRow {
  /** `repo/<id>`. */
  entity: `repo/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: RepoEntity;
}

/** The subscription ended: subscribe anew, without a position. */
export interface ResyncFrame {
  /** Why. */
  reason: string;
  /** The scope. */
  scope: string;
  /** Which frame this is. */
  type: "resync";
}

/** Command `run.abort`: stops one run, and only that one. */
export interface RunAbort {
  /** The conversation of the run. */
  conversationId: string;
  /** The run. */
  runId: string;
}

/** The command `run.abort`. */
export interface RunAbortCommand {
  /** What it carries. */
  data: RunAbort;
  /** The kind. */
  kind: "run.abort";
}

/** `run.aborted`. */
export interface RunAborted {
  /** When. */
  endedAt: Instant;
  /** Always `aborted`. */
  state: "aborted";
}

/** A recorded `run.aborted`. */
export interface RunAbortedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: RunAborted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "run.aborted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `run.completed`. */
export interface RunCompleted {
  /** It ended without an answer. */
  empty?: boolean | null;
  /** When. */
  endedAt: Instant;
  /** The model. */
  model?: string | null;
  /** Always `completed`. */
  state: "completed";
  /** Tokens. */
  usage?: Usage | null;
}

/** A recorded `run.completed`. */
export interface RunCompletedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: RunCompleted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "run.completed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An entity of type `run`, at most 32 KiB. Its id is in its key. */
export interface RunEntity {
  /** Its agent's entity id. */
  agentId: string;
  /** Where its answer goes. */
  conversationId: string;
  /** It ended without an answer. */
  empty?: boolean;
  /** When. */
  endedAt?: Instant;
  /** Why. */
  error?: RunError;
  /** The model. */
  model?: string;
  /** The run that spawned it. */
  parentRunId?: string;
  /** When. */
  startedAt: Instant;
  /** Always `running`. */
  state: RunState;
  /** Tokens. */
  usage?: Usage;
}

/** Why a run failed. */
export interface RunError {
  /** A word, for instance `lost` when its gateway died. */
  code?: string;
  /** A sentence. */
  message: string;
}

/** `run.failed`. */
export interface RunFailed {
  /** When. */
  endedAt: Instant;
  /** Why. */
  error: RunError;
  /** Always `failed`. */
  state: "failed";
}

/** A recorded `run.failed`. */
export interface RunFailedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: RunFailed;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "run.failed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `run.progress`: what a run is doing at the moment. */
export interface RunProgress {
  /** The gateway's word for the phase. */
  phase: string;
  /** The run's entity id. */
  runId: string;
  /** What it does, for people. */
  title?: string;
  /** The tool in use. */
  tool?: string;
}

/** The signal `run.progress`. */
export interface RunProgressSignal {
  /** What it carries. */
  data: RunProgress;
  /** The kind. */
  kind: "run.progress";
}

/** A row of type `run`. */
export interface RunRow {
  /** `run/<id>`. */
  entity: `run/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: RunEntity;
}

/** `run.started`: one turn of an agent. */
export interface RunStarted {
  /** Its agent's entity id. */
  agentId: string;
  /** Where its answer goes. */
  conversationId: string;
  /** The model. */
  model?: string;
  /** The run that spawned it. */
  parentRunId?: string;
  /** When. */
  startedAt: Instant;
  /** Always `running`. */
  state: "running";
}

/** A recorded `run.started`. */
export interface RunStartedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: RunStarted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "run.started";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** Where a run is. The first terminal state wins. */
export type RunState = "running" | "completed" | "failed" | "aborted";

/** The program at the other end. */
export interface ServerInfo {
  /** `otter-server`. */
  name: string;
  /** Its version. */
  version: string;
}

/** `session.compacted`: the gateway shortened the context. */
export interface SessionCompacted {
  /** When. */
  compactedAt: Instant;
}

/** A recorded `session.compacted`. */
export interface SessionCompactedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: SessionCompacted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "session.compacted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `session.ended`. */
export interface SessionEnded {
  /** When. */
  endedAt: Instant;
  /** Why, for instance `deleted`. */
  reason: string;
  /** Always `ended`. */
  status: "ended";
}

/** A recorded `session.ended`. */
export interface SessionEndedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: SessionEnded;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "session.ended";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An entity of type `session`, at most 8 KiB. Its id is in its key. */
export interface SessionEntity {
  /** Its agent's entity id. */
  agentId: string;
  /** The chat service it belongs to. */
  channel?: string;
  /** When. */
  compactedAt?: Instant;
  /** Tokens that fit the context. */
  contextLimit?: number;
  /** Tokens of the context in use. */
  contextUsed?: ContextUsed;
  /** Its conversation. */
  conversationId: string;
  /** When. */
  endedAt?: Instant;
  /** Where it lives. */
  instanceId: string;
  /** The gateway's session key. */
  key: string;
  /** The gateway's word for what it is, for instance `direct`, `cron`, `subagent`. */
  kind?: string;
  /** A display name. */
  label?: string;
  /** When something last happened in it. */
  lastActivityAt?: Instant;
  /** Tokens over its whole life. */
  lifetimeTokens?: number;
  /** The model in use. */
  model?: string;
  /** Why, for instance `deleted`. */
  reason?: string;
  /** The gateway's id of the current transcript; changes with a reset. */
  sessionId?: string;
  /** What it does. */
  status: SessionStatus;
}

/** Command `session.reset`: empties the session of a conversation. The conversation and its history stay. */
export interface SessionReset {
  /** The conversation. */
  conversationId: string;
}

/** The command `session.reset`. */
export interface SessionResetCommand {
  /** What it carries. */
  data: SessionReset;
  /** The kind. */
  kind: "session.reset";
}

/** A row of type `session`. */
export interface SessionRow {
  /** `session/<id>`. */
  entity: `session/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: SessionEntity;
}

/** What a session does, as the gateway says. */
export type SessionStatus = "idle" | "queued" | "running" | "done" | "failed" | "killed" | "timeout" | "ended" | (string & {});

/** `session.upserted`: a session of a gateway. Unknown is absent, never 0; `null` removes what a reset removed. */
export interface SessionUpserted {
  /** Its agent's entity id. */
  agentId: string;
  /** The chat service it belongs to. */
  channel?: string | null;
  /** Tokens that fit the context. */
  contextLimit?: number | null;
  /** Tokens of the context in use. */
  contextUsed?: ContextUsed | null;
  /** Its conversation. */
  conversationId: string;
  /** Where it lives. */
  instanceId: string;
  /** The gateway's session key. */
  key: string;
  /** The gateway's word for what it is, for instance `direct`, `cron`, `subagent`. */
  kind?: string | null;
  /** A display name. */
  label?: string | null;
  /** When something last happened in it. */
  lastActivityAt?: Instant | null;
  /** Tokens over its whole life. */
  lifetimeTokens?: number | null;
  /** The model in use. */
  model?: string | null;
  /** The gateway's id of the current transcript; changes with a reset. */
  sessionId?: string | null;
  /** What it does. */
  status: SessionStatus;
}

/** A recorded `session.upserted`. */
export interface SessionUpsertedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: SessionUpserted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "session.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** How much an alert matters. */
export type Severity = "info" | "warning" | "critical" | (string & {});

/** An ephemeral notice: the `kind` and `data` of a `signal` frame. */
export type Signal = MessageDeltaSignal | RunProgressSignal | TypingSignal | PresenceSignal | InstanceHeartbeatSignal;

/** An ephemeral notice in a scope: may be dropped or merged with a later one. */
export interface SignalFrame {
  /** What the kind carries: see the definition of the signal. */
  data: Record<string, unknown>;
  /** `message.delta`, `run.progress`, `typing`, `presence` or `instance.heartbeat`. */
  kind: string;
  /** The scope. */
  scope: string;
  /** Which frame this is. */
  type: "signal";
}

/** A page of the live entities of a scope, ordered by key. The frame has at most 256 KiB. */
export interface SnapshotFrame {
  /** Every event of the scope up to here is contained; on the last page, the lowest over all pages. */
  asOf: number;
  /** The entities of this page. */
  entities: Array<SnapshotRow>;
  /** The epoch of asOf and of the revs. */
  epoch: string;
  /** On the last page: the state hash at `head`, when the hub knows it. */
  hash?: string;
  /** On the last page: the scope's head when it was read. */
  head?: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Which frame this is. */
  type: "snapshot";
}

/** A row of any type: what readers check before they look at its type. */
export interface SnapshotRow {
  /** `type/id`. */
  entity: string;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: Record<string, unknown>;
}

/** Who published an event. */
export interface Source {
  /** Its id; absent for the hub. */
  id?: string;
  /** The hub itself, an instance or a person. */
  type: "hub" | "instance" | "member";
}

/** Why a command ended without success. */
export interface StageError {
  /** A word. */
  code: string;
  /** A sentence that says what to do. */
  message: string;
}

/** An entity of type `step`, at most 32 KiB. Its id is in its key. */
export interface StepEntity {
  /** The approval it waited for. */
  approvalId?: string;
  /** Its conversation. */
  conversationId: string;
  /** How long the tool itself ran; waiting for a person does not count where the gateway tells them apart. */
  durationMs?: number;
  /** When it ended. */
  endedAt?: Instant;
  /** Why it failed. */
  error?: string;
  /** The exit code of a command. */
  exitCode?: number;
  /** The tool, for instance `exec`. */
  name: string;
  /** The first 4 KiB of its output. */
  outputHead?: string;
  /** Whether there was more output than `outputHead` holds. */
  outputTruncated?: boolean;
  /** Its run. */
  runId: string;
  /** When it began. */
  startedAt: Instant;
  /** How it ended. */
  status: StepStatus;
  /** What it did, for people. */
  title?: string;
}

/** `step.recorded`: one tool call of a run, when it has ended. What runs at the moment is the signal `run.progress`. */
export interface StepRecorded {
  /** The approval it waited for. */
  approvalId?: string;
  /** Its conversation. */
  conversationId: string;
  /** How long the tool itself ran; waiting for a person does not count where the gateway tells them apart. */
  durationMs?: number;
  /** When it ended. */
  endedAt?: Instant;
  /** Why it failed. */
  error?: string;
  /** The exit code of a command. */
  exitCode?: number;
  /** The tool, for instance `exec`. */
  name: string;
  /** The first 4 KiB of its output. */
  outputHead?: string;
  /** Whether there was more output than `outputHead` holds. */
  outputTruncated?: boolean;
  /** Its run. */
  runId: string;
  /** When it began. */
  startedAt: Instant;
  /** How it ended. */
  status: StepStatus;
  /** What it did, for people. */
  title?: string;
}

/** A recorded `step.recorded`. */
export interface StepRecordedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: StepRecorded;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "step.recorded";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `step`. */
export interface StepRow {
  /** `step/<id>`. */
  entity: `step/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: StepEntity;
}

/** How a tool call ended. */
export type StepStatus = "completed" | "failed" | "denied" | "aborted" | (string & {});

/** Asks for a scope, from a position when `epoch` and `pos` are given. */
export interface SubscribeFrame {
  /** The epoch of `pos`. */
  epoch?: string;
  /** The seq of the last event applied (or of the snapshot). */
  pos?: number;
  /** The scope; `member/self` stands for the own member scope, only without a position: with one, say `member/<id>` as the answer did. */
  scope: string;
  /** A number that the answer repeats; the client never reuses it on a connection. */
  sub: number;
  /** Why the client gave its position up, for the hub's counters: `hash` when its state was not the hub's, `gap`, `behind`, `badFrame` or `resync`. */
  trouble?: string;
  /** Which frame this is. */
  type: "subscribe";
}

/** Answer to `subscribe`, in the order of the stream: everything after it belongs to this subscription. */
export interface SubscribedFrame {
  /** The epoch of `head` and of everything that follows. */
  epoch: string;
  /** The scope's head when the subscription was accepted. */
  head: number;
  /** How it starts. */
  mode: SubscribedMode;
  /** Why a position was not resumed (`epoch`, `ahead`, `trimmed`, `far`), or the scope denied (an error code). */
  reason?: string;
  /** The scope, with `member/self` resolved. */
  scope: string;
  /** The number of the `subscribe`. */
  sub: number;
  /** Which frame this is. */
  type: "subscribed";
}

/** How a subscription starts. */
export type SubscribedMode = "resumed" | "snapshot" | "denied";

/** Asks for a scope, from a position when `epoch` and `pos` are given. */
export interface Subscription {
  /** The epoch of `pos`. */
  epoch?: string;
  /** The seq of the last event applied (or of the snapshot). */
  pos?: number;
  /** The scope; `member/self` stands for the own member scope, only without a position: with one, say `member/<id>` as the answer did. */
  scope: string;
  /** A number that the answer repeats; the client never reuses it on a connection. */
  sub: number;
  /** Why the client gave its position up, for the hub's counters: `hash` when its state was not the hub's, `gap`, `behind`, `badFrame` or `resync`. */
  trouble?: string;
  /** May stand here, too. */
  type?: "subscribe";
}

/** Command `task.create`: writes a task down. It becomes task `hub:<command>`. */
export interface TaskCreate {
  /** The agent that shall do it. */
  agentId?: string;
  /** Details, at most 6 KiB. */
  description?: string;
  /** What is to be done, 1 to 300 characters. */
  title: string;
}

/** The command `task.create`. */
export interface TaskCreateCommand {
  /** What it carries. */
  data: TaskCreate;
  /** The kind. */
  kind: "task.create";
}

/** Command `task.dispatch`: hands a task to the agent of a conversation, which begins when it is idle. */
export interface TaskDispatch {
  /** Where the work shall be done. */
  conversationId: string;
  /** The task, one that a person made. */
  taskId: string;
  /** What to tell the agent; without it, title and description. 1 byte to 200 KiB. */
  text?: string;
}

/** The command `task.dispatch`. */
export interface TaskDispatchCommand {
  /** What it carries. */
  data: TaskDispatch;
  /** The kind. */
  kind: "task.dispatch";
}

/** `task.dispatched`: handed to an agent; written by the hub when it accepts `task.dispatch`. */
export interface TaskDispatched {
  /** The agent. */
  agentId: string;
  /** Who handed it over. */
  by: Author;
  /** The command that carries it; its run is `<instance>:<command>`. */
  commandId: string;
  /** Where the work can be seen. */
  conversationId: string;
  /** When. */
  dispatchedAt: Instant;
  /** Always `null`. */
  endedAt?: Instant | null;
  /** The instance. */
  instanceId: string;
  /** Always `null`: the run of an earlier dispatch. */
  runId?: string | null;
  /** Always `null`. */
  startedAt?: Instant | null;
  /** Always `queued`. */
  status: "queued";
  /** Always `null`: the summary of an earlier dispatch. */
  summary?: string | null;
}

/** A recorded `task.dispatched`. */
export interface TaskDispatchedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: TaskDispatched;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "task.dispatched";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** An entity of type `task`, at most 8 KiB. Its id is in its key. */
export interface TaskEntity {
  /** The agent that works on it. */
  agentId?: string;
  /** The person who made it. */
  by?: Author;
  /** The command that carries it; its run is `<instance>:<command>`. */
  commandId?: string;
  /** The conversation where the work can be seen. */
  conversationId?: string;
  /** When it was made. */
  createdAt?: Instant;
  /** Details, at most 6 KiB. */
  description?: string;
  /** When. */
  dispatchedAt?: Instant;
  /** When it ended. */
  endedAt?: Instant;
  /** The instance that works on it. */
  instanceId?: string;
  /** Where it comes from. */
  origin?: TaskOrigin;
  /** The run that works on it. */
  runId?: string;
  /** When work began. */
  startedAt?: Instant;
  /** Where it is. */
  status?: TaskStatus;
  /** The newest line about it, at most 1,000 characters: progress, then what came of it. */
  summary?: string;
  /** The gateway's word for it, for instance `subagent` or `cron`. */
  taskKind?: string;
  /** What is to be done, at most 300 characters. */
  title?: string;
}

/** Where a task comes from. */
export type TaskOrigin = "person" | "gateway" | "integrator" | (string & {});

/** `task.removed`. */
export type TaskRemoved = Record<string, unknown>;

/** A recorded `task.removed`. */
export interface TaskRemovedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: TaskRemoved;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "task.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** A row of type `task`. */
export interface TaskRow {
  /** `task/<id>`. */
  entity: `task/${string}`;
  /** Whether it is in the live window of its type; absent when it is. */
  live?: boolean;
  /** The seq of its last write. */
  rev: number;
  /** The entity. */
  value: TaskEntity;
}

/** Where a task is. */
export type TaskStatus = "todo" | "queued" | "inProgress" | "review" | "done" | "failed" | "cancelled";

/** Command `task.update`: changes a task that a person made. What is absent stays; `null` removes. */
export interface TaskUpdate {
  /** The agent that shall do it. */
  agentId?: string | null;
  /** Details, at most 6 KiB. */
  description?: string | null;
  /** Where it is. */
  status?: TaskStatus;
  /** The task. */
  taskId: string;
  /** What is to be done, 1 to 300 characters. */
  title?: string;
}

/** The command `task.update`. */
export interface TaskUpdateCommand {
  /** What it carries. */
  data: TaskUpdate;
  /** The kind. */
  kind: "task.update";
}

/** `task.upserted`: a task, or what changed of it. */
export interface TaskUpserted {
  /** The agent that works on it. */
  agentId?: string | null;
  /** The person who made it. */
  by?: Author | null;
  /** The conversation where the work can be seen. */
  conversationId?: string | null;
  /** When it was made. */
  createdAt?: Instant | null;
  /** Details, at most 6 KiB. */
  description?: string | null;
  /** When it ended. */
  endedAt?: Instant | null;
  /** The instance that works on it. */
  instanceId?: string | null;
  /** Where it comes from. */
  origin?: TaskOrigin | null;
  /** The run that works on it. */
  runId?: string | null;
  /** When work began. */
  startedAt?: Instant | null;
  /** Where it is. */
  status?: TaskStatus | null;
  /** The newest line about it, at most 1,000 characters: progress, then what came of it. */
  summary?: string | null;
  /** The gateway's word for it, for instance `subagent` or `cron`. */
  taskKind?: string | null;
  /** What is to be done, at most 300 characters. */
  title?: string | null;
}

/** A recorded `task.upserted`. */
export interface TaskUpsertedEvent {
  /** When the hub recorded it, by the hub's clock. */
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  /** The payload. */
  data: TaskUpserted;
  /** What it does to entities, at most one effect per entity; empty when the row is older than its window. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  /** The kind. */
  kind: "task.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it. */
  source: Source;
}

/** `typing`: a person writes in a conversation that they follow; viewers do not, they cannot send it. Gone 6 s after the last one, or when `active` is false. */
export interface Typing {
  /** Whether they write at the moment. */
  active: boolean;
  /** Who; set by the hub, what a client says is replaced. */
  memberId?: string;
  /** Their display name; set by the hub. */
  name?: string;
}

/** The signal `typing`. */
export interface TypingSignal {
  /** What it carries. */
  data: Typing;
  /** The kind. */
  kind: "typing";
}

/** Ends a subscription. Frames of the scope that are on their way are ignored by the client. */
export interface UnsubscribeFrame {
  /** The scope. */
  scope: string;
  /** Which frame this is. */
  type: "unsubscribe";
}

/** Tokens of a run, summed over its calls of the model. */
export interface Usage {
  /** Tokens read. */
  input?: number;
  /** Tokens written. */
  output?: number;
}

/** What every command of an integrator carries beside its own members: at most 64 KiB with them. */
export interface VendorCommand {
  /** The conversation it is about, one of that instance. */
  conversationId?: string;
  /** The instance that carries it out. */
  instanceId: string;
}

/** A range of protocol versions, both ends included. */
export interface VersionRange {
  /** The highest version the sender speaks. */
  max: number;
  /** The lowest version the sender speaks. */
  min: number;
}

/** The connection is established. */
export interface WelcomeFrame {
  /** The subset of the client's capabilities that is in force. */
  capabilities?: Array<string>;
  /** A `ping` comes at least this often. */
  heartbeatMs: number;
  /** Instances only. */
  lanes?: Lanes;
  /** Limits of this connection. */
  limits: Limits;
  /** Who the client is. */
  principal: Principal;
  /** The version chosen. */
  protocol: number;
  /** The hub. */
  server: ServerInfo;
  /** The hub's clock, to correct ages and imported times. */
  serverTime: Instant;
  /** Which frame this is. */
  type: "welcome";
}

/** The event of each kind. */
export interface EventMap {
  'instance.connected': InstanceConnectedEvent;
  'instance.disconnected': InstanceDisconnectedEvent;
  'instance.updated': InstanceUpdatedEvent;
  'instance.gap': InstanceGapEvent;
  'instance.removed': InstanceRemovedEvent;
  'agent.upserted': AgentUpsertedEvent;
  'agent.statusChanged': AgentStatusChangedEvent;
  'agent.removed': AgentRemovedEvent;
  'session.upserted': SessionUpsertedEvent;
  'session.ended': SessionEndedEvent;
  'session.compacted': SessionCompactedEvent;
  'conversation.upserted': ConversationUpsertedEvent;
  'conversation.updated': ConversationUpdatedEvent;
  'message.created': MessageCreatedEvent;
  'message.deliveryChanged': MessageDeliveryChangedEvent;
  'message.edited': MessageEditedEvent;
  'message.removed': MessageRemovedEvent;
  'run.started': RunStartedEvent;
  'run.completed': RunCompletedEvent;
  'run.failed': RunFailedEvent;
  'run.aborted': RunAbortedEvent;
  'step.recorded': StepRecordedEvent;
  'task.upserted': TaskUpsertedEvent;
  'task.dispatched': TaskDispatchedEvent;
  'task.removed': TaskRemovedEvent;
  'approval.requested': ApprovalRequestedEvent;
  'approval.decided': ApprovalDecidedEvent;
  'approval.resolved': ApprovalResolvedEvent;
  'approval.expired': ApprovalExpiredEvent;
  'approval.reopened': ApprovalReopenedEvent;
  'feed.itemAdded': FeedItemAddedEvent;
  'feed.itemUpdated': FeedItemUpdatedEvent;
  'feed.itemRemoved': FeedItemRemovedEvent;
  'mark.updated': MarkUpdatedEvent;
  'activity.recorded': ActivityRecordedEvent;
  'repo.pushed': RepoPushedEvent;
  'command.updated': CommandUpdatedEvent;
  'member.joined': MemberJoinedEvent;
  'member.updated': MemberUpdatedEvent;
  'member.removed': MemberRemovedEvent;
}

/** The entity of each type. */
export interface EntityMap {
  'instance': InstanceEntity;
  'agent': AgentEntity;
  'session': SessionEntity;
  'conversation': ConversationEntity;
  'message': MessageEntity;
  'run': RunEntity;
  'step': StepEntity;
  'task': TaskEntity;
  'approval': ApprovalEntity;
  'feedItem': FeedItemEntity;
  'mark': MarkEntity;
  'activity': ActivityEntity;
  'repo': RepoEntity;
  'command': CommandEntity;
  'member': MemberEntity;
}

/** The data of each command. */
export interface CommandMap {
  'message.send': MessageSendCommand['data'];
  'run.abort': RunAbortCommand['data'];
  'session.reset': SessionResetCommand['data'];
  'approval.decide': ApprovalDecideCommand['data'];
  'task.create': TaskCreateCommand['data'];
  'task.update': TaskUpdateCommand['data'];
  'task.dispatch': TaskDispatchCommand['data'];
  'feed.markRead': FeedMarkReadCommand['data'];
  'feed.archive': FeedArchiveCommand['data'];
  'conversation.update': ConversationUpdateCommand['data'];
  'conversation.markRead': ConversationMarkReadCommand['data'];
  'agent.ping': AgentPingCommand['data'];
  'command.cancel': CommandCancelCommand['data'];
  'instance.remove': InstanceRemoveCommand['data'];
}

/** The data of each signal. */
export interface SignalMap {
  'message.delta': MessageDeltaSignal['data'];
  'run.progress': RunProgressSignal['data'];
  'typing': TypingSignal['data'];
  'presence': PresenceSignal['data'];
  'instance.heartbeat': InstanceHeartbeatSignal['data'];
}
