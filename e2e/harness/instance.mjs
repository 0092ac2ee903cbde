// A scripted instance: what stands in for a bridge where a test needs many machines or thousands of rows. It speaks the
// published protocol (docs/protocol.md) with nothing of ours but the token.

import { randomBytes, randomUUID } from 'node:crypto';
import WebSocket from 'ws';

const BATCH_BYTES = 200_000;

export class Instance {
  /** `token` as the hub printed it. `onCommand` gives the data of `command.updated` or nothing. */
  static async connect(hub, { token, onCommand = () => undefined }) {
    const self = new Instance(hub, token, onCommand);
    await self.open();
    return self;
  }

  constructor(hub, token, onCommand) {
    Object.assign(this, { hub, token, onCommand, sent: { main: 0, bulk: 0 }, acked: { main: 0, bulk: 0 }, rejected: [], waiting: [] });
    this.boots = [];
  }

  async open() {
    this.boots.unshift(`b_${randomBytes(9).toString('base64url').replaceAll(/[-_]/g, 'x')}`);
    const headers = { authorization: `Bearer ${this.token}` };
    this.socket = new WebSocket(`ws://127.0.0.1:${this.hub.port}/ws/openclaw`, ['otter.v1.json'], { headers });
    this.welcome = await new Promise((resolve, reject) => {
      this.socket.onopen = () => this.say({ type: 'hello', protocol: { min: 1, max: 1 }, client: { name: 'scripted', version: '0.1.0' }, boots: this.boots });
      this.socket.onerror = ({ message }) => reject(new Error(message));
      this.socket.onclose = ({ code, reason }) => reject(new Error(`closed ${code} ${reason}`));
      this.socket.onmessage = ({ data }) => data.toString().split('\n').forEach((line) => this.hear(JSON.parse(line), resolve));
    });
    this.id = this.welcome.principal.id;
  }

  hear(frame, welcomed) {
    if (frame.type === 'welcome') welcomed(frame);
    else if (frame.type === 'ping') this.say({ type: 'pong', pos: {} });
    else if (frame.type === 'published') this.settle(frame);
    else if (frame.type === 'command') this.carryOut(frame);
  }

  say(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  /** An id of this instance. */
  of(rest) {
    return `${this.id}:${rest}`;
  }

  /** Publishes events of one lane, in batches, and waits until the hub has them on disk. */
  async publish(events, lane = 'main') {
    for (let at = 0; at < events.length; ) {
      let bytes = 0;
      const batch = [];
      while (at < events.length && bytes < BATCH_BYTES) {
        const event = { id: `ev_${randomUUID()}`, ...events[at++] };
        batch.push(event);
        bytes += Buffer.byteLength(JSON.stringify(event));
      }
      const first = this.sent[lane] + 1;
      this.sent[lane] += batch.length;
      this.say({ type: 'publish', lane, producerEpoch: 1, first, events: batch });
      await new Promise((resolve) => this.waiting.push({ lane, upTo: this.sent[lane], resolve }));
    }
    if (this.rejected.length > 0) throw new Error(`the hub rejected ${JSON.stringify(this.rejected)}`);
  }

  settle({ lane, upTo, rejected = [], error }) {
    if (error) this.rejected.push(error);
    this.rejected.push(...rejected);
    this.acked[lane] = upTo;
    this.waiting = this.waiting.filter((wait) => (wait.lane === lane && (upTo >= wait.upTo || error) ? wait.resolve() : true));
  }

  signal(scope, kind, data) {
    this.say({ type: 'signal', scope, kind, data });
  }

  async carryOut(command) {
    const data = await this.onCommand(command, this);
    if (data) await this.publish([{ kind: 'command.updated', subject: command.id, causedBy: command.id, data }]);
  }

  /** The agent, its conversation and what they need to be shown. */
  async introduce({ agent = 'main', name = 'Scripted', title, version = '2026.9.6' } = {}) {
    const conversation = this.of(agent);
    await this.publish([
      { kind: 'instance.updated', subject: this.id, data: { gateway: { state: 'online', version, bootId: 'scripted', since: new Date().toISOString() } } },
      { kind: 'agent.upserted', subject: this.of(agent), data: { instanceId: this.id, name, isDefault: true } },
      this.conversation(conversation, { agentId: this.of(agent), derivedTitle: title ?? `Talk with ${name}` }),
    ]);
    return conversation;
  }

  conversation(id, data) {
    return { kind: 'conversation.upserted', subject: id, data: { instanceId: this.id, address: { kind: 'session', sessionKey: id }, ...data } };
  }

  message(conversationId, rest, data) {
    const author = { type: 'agent', name: 'Scripted' };
    return { kind: 'message.created', subject: this.of(rest), conversation: conversationId, data: { conversationId, author, status: 'complete', ...data } };
  }

  close() {
    this.socket?.close();
  }
}
