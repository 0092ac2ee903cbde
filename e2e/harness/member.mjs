// A member of the org without a browser: the wire protocol by hand, so that a test sees what the hub says and nothing else.

import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import { until } from './process.mjs';

export class Member {
  /** Signs in by a setup or invite link of the hub and follows the org. */
  static async join(hub, link) {
    const token = new URL(link).hash.replace('#t=', '');
    const answer = await fetch(`${hub.origin}/auth/confirm`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: hub.origin },
      body: JSON.stringify({ token }),
    });
    if (!answer.ok) throw new Error(`signing in: ${answer.status} ${await answer.text()}`);
    const cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
    const member = new Member(hub, cookie);
    await member.connect();
    return member;
  }

  constructor(hub, cookie) {
    Object.assign(this, { hub, cookie, entities: new Map(), events: [], signals: [], replies: new Map(), scopes: new Set(['org']) });
  }

  async connect() {
    const socket = new WebSocket(`${this.hub.origin.replace('http', 'ws')}/ws`, 'otter.v1.json', {
      headers: { cookie: this.cookie, origin: this.hub.origin },
    });
    this.socket = socket;
    this.frames = 0;
    socket.on('error', () => {});
    socket.on('message', (data) => data.toString().split('\n').forEach((line) => this.take(JSON.parse(line))));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const subscribe = [...this.scopes].map((scope, sub) => ({ type: 'subscribe', scope, sub: sub + 1 }));
    this.say({ type: 'hello', protocol: { min: 1, max: 1 }, client: { name: 'e2e', version: '0.1.0' }, subscribe });
    await until(() => this.welcomed, { what: 'the hub to welcome a member' });
  }

  follow(conversation) {
    const scope = `conversation/${conversation}`;
    if (this.scopes.has(scope)) return;
    this.scopes.add(scope);
    this.say({ type: 'subscribe', scope, sub: this.scopes.size });
  }

  /** Sends a command and gives its id; a refusal is an error. */
  async command(kind, data) {
    const id = uuidv7();
    this.say({ type: 'command', id, kind, data });
    const reply = await until(() => this.replies.get(id), { what: `an answer to ${kind}` });
    if (reply.refused) throw new Error(`${kind}: ${reply.refused.code}: ${reply.refused.message}`);
    return id;
  }

  entity(key) {
    return this.entities.get(key)?.value;
  }

  /** The entities of a type: id and value. */
  all(type) {
    const prefix = `${type}/`;
    return [...this.entities].filter(([key]) => key.startsWith(prefix)).map(([key, { value }]) => ({ id: key.slice(prefix.length), ...value }));
  }

  /** Waits until `probe(this)` gives something true. */
  sees(what, probe, timeoutMs = 90_000) {
    return until(() => probe(this), { what: `the member to see ${what}`, timeoutMs });
  }

  /** Waits for the end of a command and gives it. */
  ended(id, timeoutMs) {
    const open = ['accepted', 'received', 'started'];
    const end = () => [this.entity(`command/${id}`)].find((command) => command && !open.includes(command.stage));
    return this.sees(`the end of ${id}`, end, timeoutMs);
  }

  take(frame) {
    if (['snapshot', 'events', 'page'].includes(frame.type)) this.say({ type: 'ack', frames: ++this.frames });
    if (frame.type === 'welcome') this.welcomed = frame;
    if (frame.type === 'refuse' || frame.type === 'bye') this.refused = frame;
    if (frame.type === 'ping') this.say({ type: 'pong', pos: {} });
    if (frame.type === 'reply') this.replies.set(frame.id, frame);
    if (frame.type === 'signal') this.signals.push(frame);
    if (frame.type === 'snapshot') frame.entities.forEach(({ entity, rev, value }) => this.put(entity, rev, value));
    if (frame.type === 'events') frame.events.forEach((event) => this.apply(event));
  }

  apply(event) {
    this.events.push(event);
    for (const { op, entity, value = event.data } of event.effects ?? []) {
      const known = this.entities.get(entity);
      if (known && event.seq <= known.rev) continue;
      if (op === 'put') this.put(entity, event.seq, value);
      if (op === 'merge' && known) this.put(entity, event.seq, merged(known.value, value));
      if (op === 'delete' || op === 'evict') this.entities.delete(entity);
    }
  }

  put(entity, rev, value) {
    if (!(this.entities.get(entity)?.rev >= rev)) this.entities.set(entity, { rev, value });
  }

  say(frame) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  close() {
    this.socket.close();
  }
}

/** RFC 7396. */
function merged(old, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result = old !== null && typeof old === 'object' && !Array.isArray(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function uuidv7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
