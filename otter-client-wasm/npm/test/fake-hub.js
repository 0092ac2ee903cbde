const EPOCH = 'ep1';
export const C = 'in_a:main';
export const SCOPE = `conversation/${C}`;
const NOW = '2026-11-24T10:00:00.000Z';

/**
 * A hub that a test plays: sockets it was asked for, and what each was told. Nothing goes by itself but the
 * handshake's answers when `greet` is asked for.
 */
export function createFakeHub() {
  /** @type {FakeWebSocket[]} */
  const sockets = [];

  class FakeWebSocket {
    static OPEN = 1;
    readyState = 0;
    binaryType = 'blob';
    onopen = null;
    onmessage = null;
    onerror = null;
    onclose = null;
    /** @type {any[]} frames of the client */
    received = [];
    /** @type {any[]} */
    closed = [];

    constructor(url, protocols) {
      Object.assign(this, { url, protocols });
      sockets.push(this);
    }
    send(message) {
      assertOpen(this);
      this.received.push(...message.split('\n').map((text) => JSON.parse(text)));
    }
    close(...how) {
      if (this.readyState < 3) this.closed.push(how);
      this.readyState = 3;
    }

    open() {
      this.readyState = 1;
      this.onopen?.({ type: 'open' });
    }
    /** Says frames in one binary message. */
    say(...frames) {
      const bytes = new TextEncoder().encode(frames.map((frame) => JSON.stringify(frame)).join('\n'));
      this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
    }
    /** The connection breaks. */
    cut(code = 1006, reason = '') {
      this.readyState = 3;
      this.onclose?.({ code, reason });
    }
    /** Takes the frames of one type out of what was received. */
    take(type) {
      const taken = this.received.filter((frame) => frame.type === type);
      this.received = this.received.filter((frame) => frame.type !== type);
      return taken;
    }
    /** Opens, and answers `hello` for a person; each scope it asks for is answered by `answer`. */
    greet(answer = snapshot, person = ADA) {
      this.open();
      const [hello] = this.take('hello');
      this.say(welcome(person), ...hello.subscribe.flatMap((ask) => answer(ask)));
      return hello;
    }
  }

  return { WebSocket: FakeWebSocket, sockets, last: () => sockets[sockets.length - 1] };
}

function assertOpen(socket) {
  if (socket.readyState !== 1) throw new Error('InvalidStateError');
}

const limits = {
  frameBytes: 1 << 20, windowBytes: 1 << 18, publishBytes: 1 << 20, eventBytes: 1 << 19, subscriptions: 100, commandsPerMinute: 60,
};
export const ADA = { type: 'member', id: 'mb_1', org: 'org_1', name: 'Ada', role: 'owner' };
export const BOB = { ...ADA, id: 'mb_2', name: 'Bob', role: 'member' };
export const welcome = (principal = ADA) => ({
  type: 'welcome', protocol: 1, server: { name: 'fake', version: '0' }, serverTime: NOW, limits, heartbeatMs: 15000,
  principal, capabilities: ['binary'],
});

const world = {
  org: [
    { entity: 'agent/in_a:main', rev: 1, value: { instanceId: 'in_a', name: 'Ada' } },
    { entity: `conversation/${C}`, rev: 2, value: { agentId: 'in_a:main', instanceId: 'in_a', title: 'Main' } },
  ],
  [SCOPE]: [{ entity: 'message/in_a:m1', rev: 3, value: { author: { type: 'agent' }, conversationId: C, sentAt: NOW, status: 'complete', text: 'Hello' } }],
};

/** The answer of a subscription from nothing. */
export const snapshot = ({ scope, sub }, head = 10, entities = world[scope] ?? []) => [
  { type: 'subscribed', scope, sub, epoch: EPOCH, head, mode: 'snapshot' },
  { type: 'snapshot', scope, epoch: EPOCH, entities, asOf: head, head },
];

/** The answer of a subscription from its position. */
export const resumed = ({ scope, sub, pos }, head = pos) => [{ type: 'subscribed', scope, sub, epoch: EPOCH, head, mode: 'resumed' }];

/** One event of the conversation, or of `scope`. */
export function events(seq, prev, kind, op, entity, data, { scope = SCOPE, causedBy } = {}) {
  const effects = [{ op, entity }];
  const event = { seq, prev, id: `ev_${seq}`, at: NOW, scope, kind, source: { type: 'hub', id: 'hub' }, causedBy, effects, data };
  return { type: 'events', scope, epoch: EPOCH, events: [event] };
}

export const delta = (runId, offset, text) => ({ type: 'signal', scope: SCOPE, kind: 'message.delta', data: { offset, runId, text } });

export const accepted = (id, at) => ({ type: 'reply', id, accepted: { epoch: EPOCH, at } });
export const refused = (id, message) => ({ type: 'reply', id, refused: { code: 'forbidden', message, retryable: false } });
