// Generated from schemas/v1/otter.schema.json by `cargo xtask schemas`. Do not edit.
/** A command was accepted: durable, and on its way. */
export interface Accepted {
  /** The highest seq the acceptance wrote in each scope. */
  at?: Record<string, number>;
  /** The epoch of the positions in `at`. */
  epoch: string;
}

/** Counts the `events`, `snapshot` and `page` frames received on this connection, applied or not. */
export interface Ack {
  /** Total since the connection opened. */
  frames: number;
}

export type AckFrame = Ack & {
  type: "ack";
};

/** An entity of type `activity`. Its id is its key. */
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

export interface ActivityRecordedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ActivityRecorded;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "activity.recorded";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** How an activity ended. */
export type ActivityStatus = "completed" | "failed";

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
export type AddressKind = "dm" | "project" | "issue" | "session";

/** An entity of type `agent`. Its id is its key. */
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
  /** A sentence. */
  statusText?: string;
}

/** Command `agent.ping`: asks whether an agent can be reached; completes when its gateway knows it. */
export interface AgentPing {
  /** The agent. */
  agentId: string;
}

export interface AgentPingCommand {
  data: AgentPing;
  kind: "agent.ping";
}

/** `agent.removed`. */
export type AgentRemoved = Record<string, unknown>;

export interface AgentRemovedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: AgentRemoved;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "agent.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `agent.statusChanged`: what the agent says about itself. */
export interface AgentStatusChanged {
  /** A word. */
  status: string;
  /** A sentence. */
  statusText?: string;
}

export interface AgentStatusChangedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: AgentStatusChanged;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "agent.statusChanged";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `agent.upserted`: an agent of a gateway. */
export interface AgentUpserted {
  /** Where it lives. */
  instanceId: string;
  /** Whether the gateway uses it when no agent is named. */
  isDefault?: boolean;
  /** The model it is configured with. */
  model?: string;
  /** Its display name. */
  name: string;
}

export interface AgentUpsertedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: AgentUpserted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "agent.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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

export interface ApprovalDecideCommand {
  data: ApprovalDecide;
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
  state: ApprovalState;
}

export interface ApprovalDecidedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ApprovalDecided;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "approval.decided";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** What a person may answer. */
export type ApprovalDecision = "allow-once" | "allow-always" | "deny";

/** An entity of type `approval`. Its id is its key. */
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
  state: ApprovalState;
}

export interface ApprovalExpiredEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ApprovalExpired;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "approval.expired";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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
  state: ApprovalState;
}

export interface ApprovalReopenedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ApprovalReopened;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "approval.reopened";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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
  state: ApprovalState;
  /** What the gateway warns of. */
  warning?: string;
}

export interface ApprovalRequestedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ApprovalRequested;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "approval.requested";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `approval.resolved`: what came of it, by the gateway's record. */
export interface ApprovalResolved {
  /** The answer the gateway took, when someone gave one. */
  decision?: ApprovalDecision;
  /** What came of it. */
  outcome: ApprovalOutcome;
  /** Why, in the gateway's words. */
  reason?: string;
  /** When. */
  resolvedAt: Instant;
  /** Who answered, in the gateway's words, when it was not decided here. */
  resolvedBy?: string;
  /** Always `resolved`. */
  state: ApprovalState;
}

export interface ApprovalResolvedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ApprovalResolved;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "approval.resolved";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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
export type AuthorType = "member" | "agent" | "external" | "system";

/** The program that connects the instance. */
export interface BridgeInfo {
  /** Its name. */
  name: string;
  /** Its version. */
  version: string;
}

/** The client goes away on purpose. */
export interface Bye {
  /** Why, for logs. */
  reason?: string;
}

export type ByeFrame = Bye & {
  type: "bye";
};

/** A frame from a client to the hub. */
export type ClientFrame = HelloFrame | SubscribeFrame | UnsubscribeFrame | PublishFrame | SignalFrame | FetchFrame | AckFrame | PongFrame | ProbeFrame | ByeFrame | CommandRequestFrame;

/** Which program this is; for logs and the fleet view. */
export interface ClientInfo {
  /** For instance `@otter-camp/client` or `otter-bridge`. */
  name: string;
  /** Its version. */
  version: string;
}

/** Asks for something to happen; answered by one `reply`, then by `command.updated` events. */
export interface Command {
  /** What the kind carries. */
  data: unknown;
  /** A UUIDv7 made by the client: the idempotency key everywhere. The same id with other content is refused. */
  id: string;
  /** A command of the catalogue, for instance `message.send`. */
  kind: string;
}

/** Command `command.cancel`: calls a command off, if it was not attempted yet. */
export interface CommandCancel {
  /** The command to call off. */
  commandId: string;
}

export interface CommandCancelCommand {
  data: CommandCancel;
  kind: "command.cancel";
}

/** A command for the instance it is sent to. It may arrive again after a reconnect. */
export interface CommandDispatch {
  /** The address of the conversation, when there is one. */
  address: unknown;
  /** Who asked: `{type, id, name}`. */
  by: unknown;
  /** Someone asked to cancel it, if it was not attempted yet. */
  cancel: boolean;
  /** What the kind carries. */
  data: unknown;
  /** The idempotency key. */
  id: string;
  /** A command of the catalogue. */
  kind: string;
  /** How long it may still wait to be attempted, counted from receipt. */
  ttlMs: number;
}

export type CommandDispatchFrame = CommandDispatch & {
  type: "command";
};

/** An entity of type `command`. Its id is its key. */
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
  /** What came of it, for instance `alreadyEnded`. */
  result?: string;
  /** The run it concerns. */
  runId?: string;
  /** Whether it was handed to a socket of the instance. */
  sent?: boolean;
  /** How far it got. */
  stage: CommandStage;
}

/** What a person may ask for: the `kind` and `data` of a command frame. */
export type CommandRequest = MessageSendCommand | RunAbortCommand | SessionResetCommand | ApprovalDecideCommand | TaskCreateCommand | TaskUpdateCommand | TaskDispatchCommand | FeedMarkReadCommand | FeedArchiveCommand | ConversationUpdateCommand | ConversationMarkReadCommand | AgentPingCommand | CommandCancelCommand;

export type CommandRequestFrame = Command & {
  type: "command";
};

/** How far a command got. Stages never go back. */
export type CommandStage = "accepted" | "received" | "started" | "completed" | "failed" | "rejected" | "cancelled" | "expired" | "outcomeUnknown";

/** `command.updated`: the hub writes the first, then the instance it is addressed to. */
export interface CommandUpdated {
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
  /** What came of it, for instance `alreadyEnded`. */
  result?: string;
  /** The run it concerns. */
  runId?: string;
  /** Whether it was handed to a socket of the instance. */
  sent?: boolean;
  /** How far it got. */
  stage: CommandStage;
}

export interface CommandUpdatedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: CommandUpdated;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "command.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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

/** An entity of type `conversation`. Its id is its key. */
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

export interface ConversationMarkReadCommand {
  data: ConversationMarkRead;
  kind: "conversation.markRead";
}

/** Command `conversation.update`: what people give a conversation. What is absent stays; `null` removes. */
export interface ConversationUpdate {
  /** Out of the way. */
  archived?: boolean;
  /** The conversation. */
  conversationId: string;
  /** A folder's name, 1 to 80 characters. */
  folder?: string;
  /** Kept on top. */
  pinned?: boolean;
  /** A title, 1 to 200 characters; without one the derived title is shown. */
  title?: string;
}

export interface ConversationUpdateCommand {
  data: ConversationUpdate;
  kind: "conversation.update";
}

/** `conversation.updated`: title, pinned and folder are people's; the rest is derived by the hub or the bridge. */
export interface ConversationUpdated {
  /** The newest run that is still open; `null` when none is. */
  activeRun?: string | null;
  /** Out of the way; its session may be gone. */
  archived?: boolean;
  /** A title made from its content. */
  derivedTitle?: string;
  /** A folder's name. */
  folder?: string;
  /** How many of them are older than `firstSeenAt`: history, which nobody has to read; never decreases. */
  importedCount?: number;
  /** The newest row. */
  lastMessage?: LastMessage;
  /** How many messages it ever had; never decreases. */
  messageCount?: number;
  /** Kept on top. */
  pinned?: boolean;
  /** A title that a person gave. */
  title?: string;
}

export interface ConversationUpdatedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ConversationUpdated;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "conversation.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `conversation.upserted`: a conversation of an instance. */
export interface ConversationUpserted {
  /** What it is about. */
  address: Address;
  /** Its agent's entity id. */
  agentId: string;
  /** A title made from its content, by the gateway. */
  derivedTitle?: string;
  /** When the hub first heard of it, by the clock of the hub; what an instance says is replaced. */
  firstSeenAt?: Instant;
  /** Where its agent lives. */
  instanceId: string;
}

export interface ConversationUpsertedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: ConversationUpserted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "conversation.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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
export interface Drain {
  /** The window, in milliseconds. */
  windowMs: number;
}

export type DrainFrame = Drain & {
  type: "drain";
};

/** What an event does to one entity. `value` omitted means the event's `data`. An unknown op means that the reader is too old. */
export interface Effect {
  /** `type/id`. */
  entity: string;
  /** Replace; RFC 7396 merge; gone; out of the live window. */
  op: "put" | "merge" | "delete" | "evict";
  /** What is put or merged, when it is not `data`. */
  value?: Record<string, unknown>;
}

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
export type ErrorCode = "badFrame" | "unknownFrame" | "unexpectedFrame" | "tooLarge" | "tooDeep" | "unsupportedVersion" | "authRequired" | "authExpired" | "revoked" | "badOrigin" | "forbidden" | "forked" | "superseded" | "unknownScope" | "notSubscribed" | "badId" | "unknownKind" | "notPublisher" | "wrongLane" | "invalidData" | "notOwner" | "entityTooLarge" | "publishGap" | "staleProducerEpoch" | "unknownCommand" | "notFound" | "instanceOffline" | "tooManyOpen" | "idempotencyMismatch" | "alreadyEnded" | "changed" | "alreadyDecided" | "decisionNotAllowed" | "expired" | "roleRequired" | "rateLimited" | "overloaded" | "unavailable" | "storageFull" | "silent" | "helloTimeout" | "internal";

export type ErrorFrame = Notice & {
  type: "error";
};

/** A recorded event of a known kind. Anything else is a RecordedEvent; keep it. */
export type Event = InstanceConnectedEvent | InstanceDisconnectedEvent | InstanceUpdatedEvent | InstanceGapEvent | AgentUpsertedEvent | AgentStatusChangedEvent | AgentRemovedEvent | SessionUpsertedEvent | SessionEndedEvent | SessionCompactedEvent | ConversationUpsertedEvent | ConversationUpdatedEvent | MessageCreatedEvent | MessageDeliveryChangedEvent | MessageEditedEvent | MessageRemovedEvent | RunStartedEvent | RunCompletedEvent | RunFailedEvent | RunAbortedEvent | StepRecordedEvent | TaskUpsertedEvent | TaskDispatchedEvent | TaskRemovedEvent | ApprovalRequestedEvent | ApprovalDecidedEvent | ApprovalResolvedEvent | ApprovalExpiredEvent | ApprovalReopenedEvent | FeedItemAddedEvent | FeedItemUpdatedEvent | FeedItemRemovedEvent | MarkUpdatedEvent | ActivityRecordedEvent | RepoPushedEvent | CommandUpdatedEvent | MemberJoinedEvent | MemberUpdatedEvent | MemberRemovedEvent;

/** Consecutive events of one scope, at most 256 KiB. */
export interface EventsFrame {
  /** The epoch of the events' seq. */
  epoch: string;
  /** In order of seq. */
  events: Array<RecordedEvent>;
  /** The state hash after the last event. */
  hash?: string;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  type: "events";
}

/** Command `feed.archive`: puts items away for everyone, or brings them back. */
export interface FeedArchive {
  /** `false` brings them back. */
  archived: boolean;
  /** The items, 1 to 100. */
  itemIds: Array<string>;
}

export interface FeedArchiveCommand {
  data: FeedArchive;
  kind: "feed.archive";
}

/** What a feed item is; decides how it is shown. */
export type FeedCategory = "email" | "market" | "social" | "alert" | "custom";

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

export interface FeedItemAddedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: FeedItemAdded;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "feed.itemAdded";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** An entity of type `feedItem`. Its id is its key. */
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

export interface FeedItemRemovedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: FeedItemRemoved;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "feed.itemRemoved";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `feed.itemUpdated`: what changed of an item. */
export interface FeedItemUpdated {
  /** Put away for everyone; only people do that. */
  archived?: boolean;
  /** When it was put away. */
  archivedAt?: Instant;
  /** Who put it away. */
  archivedBy?: Author;
  /** The text. */
  body?: string;
  /** The change. */
  change?: string;
  /** The price. */
  price?: string;
  /** How much an alert matters. */
  severity?: Severity;
  /** One line. */
  title?: string;
}

export interface FeedItemUpdatedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: FeedItemUpdated;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "feed.itemUpdated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** Command `feed.markRead`: this person has read these items. */
export interface FeedMarkRead {
  /** The items, 1 to 100. */
  itemIds: Array<string>;
}

export interface FeedMarkReadCommand {
  data: FeedMarkRead;
  kind: "feed.markRead";
}

/** Asks for rows of a subscribed scope that are not in its state; answered by one `page`. A new `subscribed` of the scope ends those that are open, without an answer. */
export interface Fetch {
  /** Only rows older than this one; absent: from the newest on. */
  before?: PageKey;
  /** One entity, answered with its whole texts. */
  entity?: string;
  /** The type whose rows are listed, from new to old. This or `entity`. */
  entityType?: string;
  /** A number that the answer repeats; the client never reuses it on a connection. */
  id: number;
  /** At most this many rows, 1 to 100; absent: 100. */
  limit?: number;
  /** The scope; it must be subscribed. */
  scope: string;
}

export type FetchFrame = Fetch & {
  type: "fetch";
};

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
export type GatewayState = "connecting" | "online" | "waking" | "offline" | "pairing" | "refused";

/** The first frame of a connection. The hub answers with `welcome` or `refuse`, then one `subscribed` per subscription, in order. */
export interface Hello {
  /** Instances only: this process run first, then earlier ones, newest first, at most 64. */
  boots?: Array<string>;
  /** Optional abilities, for instance `binary`. */
  capabilities?: Array<string>;
  /** The program. */
  client: ClientInfo;
  /** Versions the client speaks. */
  protocol: VersionRange;
  /** Scopes to subscribe at once. */
  subscribe?: Array<Subscribe>;
}

export type HelloFrame = Hello & {
  type: "hello";
};

/** A close with this code follows. */
export interface HubBye {
  /** The close code. */
  code: number;
  /** Why. */
  reason: string;
  /** When to come back at the earliest. */
  retryAfterMs?: number;
}

export type HubByeFrame = HubBye & {
  type: "bye";
};

/** A frame from the hub to a client. */
export type HubFrame = WelcomeFrame | RefuseFrame | SubscribedFrame | PublishedFrame | ReplyFrame | ResyncFrame | PingFrame | ProbedFrame | ErrorFrame | DrainFrame | CommandDispatchFrame | EventsFrame | SnapshotFrame | PageFrame | HubByeFrame;

/** `instance.connected`: the hub accepted the instance's socket. */
export interface InstanceConnected {
  /** The bridge. */
  bridge?: BridgeInfo;
  /** When. */
  connectedAt: Instant;
  /** Always `online`. */
  connection: Connection;
  /** The display name given when the instance was added. */
  name?: string;
  /** Why it was away; removed by this event. */
  reason?: string | null;
}

export interface InstanceConnectedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: InstanceConnected;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "instance.connected";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `instance.disconnected`: the grace time after its last sign of life is over. */
export interface InstanceDisconnected {
  /** Always `offline`. */
  connection: Connection;
  /** When its socket was lost. */
  disconnectedAt: Instant;
  /** Why, in a word or a sentence. */
  reason?: string;
}

export interface InstanceDisconnectedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: InstanceDisconnected;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "instance.disconnected";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** An entity of type `instance`. Its id is its key. */
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

export interface InstanceGapEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: InstanceGap;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "instance.gap";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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

/** `instance.updated`: what the bridge says about itself. */
export interface InstanceUpdated {
  /** The link to the gateway; replaced whole. */
  gateway?: GatewayLink;
  /** A display name. */
  name?: string;
  /** The outbox. */
  outbox?: OutboxDepth;
}

export interface InstanceUpdatedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: InstanceUpdated;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "instance.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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
  /** Activity, feed, session, repo and integrators' kinds. */
  bulk: LaneCursor;
  /** Everything else. */
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

/** An entity of type `mark`. Its id is its key. */
export interface MarkEntity {
  /** With `conversation`: how many of its messages were read; never decreases. */
  messageCount?: number;
  /** When. */
  readAt: Instant;
  /** What it is about. */
  target: MarkTarget;
}

/** What a mark is about. */
export type MarkTarget = "conversation" | "feed";

/** `mark.updated`: unread messages of a conversation are its `messageCount` minus the mark's or, where that is more, minus its `importedCount`, at least 0; a feed item with a mark has been read. */
export interface MarkUpdated {
  /** With `conversation`: how many of its messages were read; never decreases. */
  messageCount?: number;
  /** When. */
  readAt: Instant;
  /** What it is about. */
  target: MarkTarget;
}

export interface MarkUpdatedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MarkUpdated;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "mark.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** An entity of type `member`. Its id is its key. */
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

export interface MemberJoinedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MemberJoined;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "member.joined";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `member.removed`. */
export type MemberRemoved = Record<string, unknown>;

export interface MemberRemovedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MemberRemoved;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "member.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** A person's rights; each role includes the ones before it. */
export type MemberRole = "viewer" | "member" | "admin" | "owner";

/** `member.updated`. */
export interface MemberUpdated {
  /** A display name. */
  name?: string;
  /** Rights. */
  role?: MemberRole;
}

export interface MemberUpdatedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MemberUpdated;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "member.updated";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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

export interface MessageCreatedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MessageCreated;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "message.created";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `message.deliveryChanged`. */
export interface MessageDeliveryChanged {
  /** How far it got; never goes back. */
  delivery: Delivery;
}

export interface MessageDeliveryChangedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MessageDeliveryChanged;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "message.deliveryChanged";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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

/** `message.edited`. */
export interface MessageEdited {
  /** When. */
  editedAt: Instant;
  /** The new text. */
  text: string;
}

export interface MessageEditedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MessageEdited;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "message.edited";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** An entity of type `message`. Its id is its key. */
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

export interface MessageRemovedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: MessageRemoved;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "message.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** Command `message.send`: says something to an agent. */
export interface MessageSend {
  /** The conversation. */
  conversationId: string;
  /** What to say; 1 byte to 200 KiB. */
  text: string;
}

export interface MessageSendCommand {
  data: MessageSend;
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
  /** The payload of the kind. */
  data: unknown;
  /** Integrators' kinds (`x.*`) only: what it does to their entities. */
  effects: unknown;
  /** Unique; observing the same fact again makes a new id, the entity id does the rest. */
  id: string;
  /** A kind of the catalogue. */
  kind: string;
  /** When it happened, by the publisher's clock. */
  observedAt?: Instant;
  /** The entity it is about, without its type. */
  subject: string;
}

/** A frame of the client was refused; nothing else was affected. */
export interface Notice {
  /** What was wrong with it. */
  error: ErrorBody;
}

/** What waits in the bridge. */
export interface OutboxDepth {
  /** Events that the hub refused for good. */
  dead: number;
  /** Events that the hub has not acknowledged. */
  pending: number;
}

/** Answer to `fetch`: rows of a type from new to old, or one row with its whole texts. At most 256 KiB. */
export interface PageFrame {
  /** The scope's head when the page was read: not before any event sent earlier. Absent with an error. */
  asOf?: number;
  error?: ErrorBody;
  /** With one fetched entity: the texts that its value shows only the head of, whole, by member. */
  full?: Record<string, string>;
  /** The number of the fetch. */
  id: number;
  next?: PageKey;
  /** From new to old, live or not. */
  rows?: Array<SnapshotRow>;
  type: "page";
}

/** A place in the list of a type: rows are ordered by the type's order key, then by id. */
export interface PageKey {
  /** The row's id, without its type. */
  id: string;
  /** The row's order key, as the hub orders by it. */
  order: string;
}

/** Heartbeat, queued behind data: everything the hub had for this connection up to `pos` was sent before it. */
export interface Ping {
  /** The epoch of `pos` and `heads`. */
  epoch: string;
  /** Heads of scopes that moved since the last ping. */
  heads?: Record<string, number>;
  /** Every subscribed scope is complete up to here. */
  pos: number;
}

export type PingFrame = Ping & {
  type: "ping";
};

/** Answer to `ping`. */
export interface Pong {
  /** The positions applied so far. */
  pos?: Record<string, number>;
}

export type PongFrame = Pong & {
  type: "pong";
};

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
export interface Probe {
  /** A number that the answer repeats. */
  n: number;
}

export type ProbeFrame = Probe & {
  type: "probe";
};

/** Answer to `probe`. */
export interface Probed {
  /** The number of the probe. */
  n: number;
  /** The hub's clock. */
  serverTime: Instant;
}

export type ProbedFrame = Probed & {
  type: "probed";
};

/** Consecutive events of one lane of an outbox. */
export interface Publish {
  /** The events, each a published event object. */
  events?: Array<unknown>;
  /** The number `n` of the first event; the others follow without holes. */
  first: number;
  /** The lane. */
  lane: Lane;
  /** The generation of this outbox lane, from 1. */
  producerEpoch: number;
  /** The highest rejected `n` the instance has moved to its dead letters. */
  rejectedSeen?: number;
}

export type PublishFrame = Publish & {
  type: "publish";
};

/** Answer to `publish`: everything up to `upTo` is committed and on disk. */
export interface Published {
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
  /** The number of the last committed event. */
  upTo: number;
}

export type PublishedFrame = Published & {
  type: "published";
};

export interface RecordedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: Record<string, unknown>;
  /** What it does to entities. */
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
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** The connection is refused; a close follows. */
export interface Refuse {
  /** Why, and what to do. */
  error: ErrorBody;
  /** With `unsupportedVersion`: what the hub speaks. */
  supported?: VersionRange;
}

export type RefuseFrame = Refuse & {
  type: "refuse";
};

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
export interface Reply {
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
}

export type ReplyFrame = Reply & {
  type: "reply";
};

/** An entity of type `repo`. Its id is its key. */
export interface RepoEntity {
  /** The branch. */
  branch: string;
  /** Who pushed. */
  by?: string;
  /** How many commits there were. */
  commitCount?: number;
  /** The newest commits, at most 20, newest first. */
  commits: Array<Commit>;
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
  commits: Array<Commit>;
  /** When. */
  pushedAt: Instant;
  /** For instance `otter/hub`. */
  repository: string;
  /** Where to see it; shown as a link only when it is `https`. */
  url?: string;
}

export interface RepoPushedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: RepoPushed;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "repo.pushed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** The subscription ended: subscribe anew, without a position. */
export interface Resync {
  /** Why. */
  reason: string;
  /** The scope. */
  scope: string;
}

export type ResyncFrame = Resync & {
  type: "resync";
};

/** Command `run.abort`: stops one run, and only that one. */
export interface RunAbort {
  /** The conversation of the run. */
  conversationId: string;
  /** The run. */
  runId: string;
}

export interface RunAbortCommand {
  data: RunAbort;
  kind: "run.abort";
}

/** `run.aborted`. */
export interface RunAborted {
  /** When. */
  endedAt: Instant;
  /** Always `aborted`. */
  state: RunState;
}

export interface RunAbortedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: RunAborted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "run.aborted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `run.completed`. */
export interface RunCompleted {
  /** It ended without an answer. */
  empty?: boolean;
  /** When. */
  endedAt: Instant;
  /** The model. */
  model?: string;
  /** Always `completed`. */
  state: RunState;
  /** Tokens. */
  usage?: Usage;
}

export interface RunCompletedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: RunCompleted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "run.completed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** An entity of type `run`. Its id is its key. */
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
  state: RunState;
}

export interface RunFailedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: RunFailed;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "run.failed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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
  state: RunState;
}

export interface RunStartedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: RunStarted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "run.started";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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

export interface SessionCompactedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: SessionCompacted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "session.compacted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** `session.ended`. */
export interface SessionEnded {
  /** When. */
  endedAt: Instant;
  /** Why, for instance `deleted`. */
  reason: string;
  /** Always `ended`. */
  status: SessionStatus;
}

export interface SessionEndedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: SessionEnded;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "session.ended";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** An entity of type `session`. Its id is its key. */
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

export interface SessionResetCommand {
  data: SessionReset;
  kind: "session.reset";
}

/** What a session does, as the gateway says. */
export type SessionStatus = "idle" | "queued" | "running" | "done" | "failed" | "killed" | "timeout" | "ended";

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

export interface SessionUpsertedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: SessionUpserted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "session.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** How much an alert matters. */
export type Severity = "info" | "warning" | "critical";

/** An ephemeral notice in a scope: may be dropped or merged with a later one. */
export interface Signal {
  /** What the kind carries. */
  data: unknown;
  /** `message.delta`, `run.progress`, `typing`, `presence` or `instance.heartbeat`. */
  kind: string;
  /** The scope. */
  scope: string;
}

export type SignalFrame = Signal & {
  type: "signal";
};

/** A page of the live entities of a scope, ordered by key. */
export interface SnapshotFrame {
  /** Every event of the scope up to here is contained; on the last page, the lowest over all pages. */
  asOf: number;
  /** The entities of this page. */
  entities: Array<SnapshotRow>;
  /** The epoch of asOf and of the revs. */
  epoch: string;
  /** On the last page: the state hash at `head`. */
  hash?: string;
  /** On the last page: the scope's head when it was read. */
  head?: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  type: "snapshot";
}

/** One entity. */
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

/** Why a command ended without success. */
export interface StageError {
  /** A word. */
  code: string;
  /** A sentence that says what to do. */
  message: string;
}

/** An entity of type `step`. Its id is its key. */
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

export interface StepRecordedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: StepRecorded;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "step.recorded";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** How a tool call ended. */
export type StepStatus = "completed" | "failed" | "denied" | "aborted";

/** Asks for a scope, from a position when `epoch` and `pos` are given. */
export interface Subscribe {
  /** The epoch of `pos`. */
  epoch?: string;
  /** The seq of the last event applied (or of the snapshot). */
  pos?: number;
  /** The scope; `member/self` stands for the own member scope, only without a position. */
  scope: string;
  /** A number that the answer repeats; the client never reuses it on a connection. */
  sub: number;
}

export type SubscribeFrame = Subscribe & {
  type: "subscribe";
};

/** Answer to `subscribe`, in the order of the stream: everything after it belongs to this subscription. */
export interface Subscribed {
  /** The epoch of `head` and of everything that follows. */
  epoch: string;
  /** The scope's head when the subscription was accepted. */
  head: number;
  /** How it starts. */
  mode: SubscribedMode;
  /** Why a position was not resumed, or the scope denied. */
  reason?: string;
  /** The scope, with `member/self` resolved. */
  scope: string;
  /** The number of the `subscribe`. */
  sub: number;
}

export type SubscribedFrame = Subscribed & {
  type: "subscribed";
};

/** How a subscription starts. */
export type SubscribedMode = "resumed" | "snapshot" | "denied";

/** Command `task.create`: writes a task down. It becomes task `hub:<command>`. */
export interface TaskCreate {
  /** The agent that shall do it. */
  agentId?: string;
  /** Details, at most 6 KiB. */
  description?: string;
  /** What is to be done, 1 to 300 characters. */
  title: string;
}

export interface TaskCreateCommand {
  data: TaskCreate;
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

export interface TaskDispatchCommand {
  data: TaskDispatch;
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
  status: TaskStatus;
  /** Always `null`: the summary of an earlier dispatch. */
  summary?: string | null;
}

export interface TaskDispatchedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: TaskDispatched;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "task.dispatched";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** An entity of type `task`. Its id is its key. */
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
export type TaskOrigin = "person" | "gateway" | "integrator";

/** `task.removed`. */
export type TaskRemoved = Record<string, unknown>;

export interface TaskRemovedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: TaskRemoved;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "task.removed";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
}

/** Where a task is. */
export type TaskStatus = "todo" | "queued" | "inProgress" | "review" | "done" | "failed" | "cancelled";

/** Command `task.update`: changes a task that a person made. What is absent stays; `null` removes. */
export interface TaskUpdate {
  /** The agent that shall do it. */
  agentId?: string;
  /** Details, at most 6 KiB. */
  description?: string;
  /** Where it is. */
  status?: TaskStatus;
  /** The task. */
  taskId: string;
  /** What is to be done, 1 to 300 characters. */
  title?: string;
}

export interface TaskUpdateCommand {
  data: TaskUpdate;
  kind: "task.update";
}

/** `task.upserted`: a task, or what changed of it. */
export interface TaskUpserted {
  /** The agent that works on it. */
  agentId?: string;
  /** The person who made it. */
  by?: Author;
  /** The conversation where the work can be seen. */
  conversationId?: string;
  /** When it was made. */
  createdAt?: Instant;
  /** Details, at most 6 KiB. */
  description?: string;
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

export interface TaskUpsertedEvent {
  at: Instant;
  /** The command that caused it. */
  causedBy?: string;
  data: TaskUpserted;
  /** What it does to entities. */
  effects: Array<Effect>;
  /** Its id. */
  id: string;
  kind: "task.upserted";
  /** The seq of the previous event of the same scope; 0 for the first. */
  prev: number;
  /** `org`, `conversation/<id>` or `member/<id>`. */
  scope: string;
  /** Its place in the org's log. */
  seq: number;
  /** Who published it: `{type, id}`. */
  source: {
    id?: string;
    type: "hub" | "instance" | "member";
  };
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

/** Ends a subscription. Frames of the scope that are on their way are ignored by the client. */
export interface Unsubscribe {
  /** The scope. */
  scope: string;
}

export type UnsubscribeFrame = Unsubscribe & {
  type: "unsubscribe";
};

/** Tokens of a run, summed over its calls of the model. */
export interface Usage {
  /** Tokens read. */
  input?: number;
  /** Tokens written. */
  output?: number;
}

/** A range of protocol versions, both ends included. */
export interface VersionRange {
  /** The highest version the sender speaks. */
  max: number;
  /** The lowest version the sender speaks. */
  min: number;
}

/** The connection is established. */
export interface Welcome {
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
}

export type WelcomeFrame = Welcome & {
  type: "welcome";
};

/** The event of each kind. */
export interface EventMap {
  'instance.connected': InstanceConnectedEvent;
  'instance.disconnected': InstanceDisconnectedEvent;
  'instance.updated': InstanceUpdatedEvent;
  'instance.gap': InstanceGapEvent;
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
}
