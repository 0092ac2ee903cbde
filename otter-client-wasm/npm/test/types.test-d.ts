// Compiled by `tsc -p .`, never run: what the published types allow, and what they refuse.
import type {
  ClientFrame,
  Command,
  CommandMap,
  Entity,
  EntityMap,
  ErrorCode,
  Event,
  EventMap,
  FeedCategory,
  HubFrame,
  MessageCreated,
  RunState,
  Signal,
  SignalMap,
  TaskRow,
} from '../types.js';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>) => {};
declare function never(value: never): void;

// An event narrows by its kind, down to nothing.
declare const event: Event;
if (event.kind === 'message.created') {
  same<typeof event.data, MessageCreated>(true);
  event.data.text.toUpperCase();
  // @ts-expect-error a message has no stage
  event.data.stage;
} else if (event.kind === 'run.completed') {
  same<typeof event.data.state, 'completed'>(true);
  // @ts-expect-error the state of a kind is fixed
  event.data.state === 'failed';
}
// @ts-expect-error a kind that is not in the catalogue
event.kind === 'task.teleported';

// The frames of the hub narrow by their type, and nothing is left.
export function everyFrame(frame: HubFrame): unknown {
  switch (frame.type) {
    case 'welcome': return frame.limits.windowBytes;
    case 'refuse': return frame.error.code;
    case 'subscribed': return frame.mode === 'denied' && frame.reason;
    case 'snapshot': return frame.entities[0]?.rev;
    case 'events': return frame.events[0]?.effects;
    case 'page': return frame.rows?.[0]?.live;
    case 'signal': return frame.kind;
    case 'published': return frame.upTo;
    case 'command': return frame.ttlMs;
    case 'reply': return frame.accepted?.at?.org;
    case 'resync': return frame.reason;
    case 'ping': return frame.pos;
    case 'probed': return frame.serverTime;
    case 'error': return frame.error.message;
    case 'drain': return frame.windowMs;
    case 'bye': return frame.retryAfterMs;
    default: return never(frame);
  }
}

// What a client sends.
const hello: ClientFrame = { type: 'hello', protocol: { min: 1, max: 1 }, client: { name: 'a', version: '1' } };
// @ts-expect-error a hello says which versions it speaks
const mute: ClientFrame = { type: 'hello', client: { name: 'a', version: '1' } };
// @ts-expect-error no such frame
const weather: ClientFrame = { type: 'weather' };
// @ts-expect-error positions are numbers
const pong: ClientFrame = { type: 'pong', pos: { org: '7' } };

// Commands and signals.
const send: Command = { kind: 'message.send', data: { conversationId: 'in_1:c', text: 'hi' } };
// @ts-expect-error a message needs a text
const empty: Command = { kind: 'message.send', data: { conversationId: 'in_1:c' } };
// @ts-expect-error a closed set of words
const maybe: Command = { kind: 'approval.decide', data: { approvalId: 'in_1:a', rev: 7, decision: 'maybe' } };
const typing: Signal = { kind: 'typing', data: { active: true } };
const off: CommandMap['conversation.update'] = { conversationId: 'in_1:c', title: null };
// @ts-expect-error a task's title can be changed, not removed
const untitled: CommandMap['task.update'] = { taskId: 'hub:t', title: null };
// @ts-expect-error the offset is a number
const delta: SignalMap['message.delta'] = { runId: 'in_1:r', offset: '0', text: '' };

// Entities have no null, events may remove with it.
const removes: EventMap['task.upserted']['data'] = { summary: null };
// @ts-expect-error what was removed is not there
const task: EntityMap['task'] = { summary: null };
declare const row: Entity;
same<TaskRow['entity'], `task/${string}`>(true);
// @ts-expect-error no such type
row.entity === 'planet/earth';

// Closed sets are exact, open ones take what is new.
same<RunState, 'running' | 'completed' | 'failed' | 'aborted'>(true);
const category: FeedCategory = 'weather';
const code: ErrorCode = 'tooWindy';
// @ts-expect-error not a word at all
const number: FeedCategory = 7;

export const used = [hello, mute, weather, pong, send, empty, maybe, typing, off, untitled, delta, removes, task, category, code, number];
