// A small client of the gateway, for what a test asks the gateway itself: seed a conversation, read its history.

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import WebSocket from 'ws';

const SCOPES = ['operator.read', 'operator.write'];
/** What it takes to add jobs and to see approvals of others. */
export const ADMIN = [...SCOPES, 'operator.approvals', 'operator.admin'];

/** A client of the gateway: requests by `call`, events by `onEvent`. */
export async function connectTo(gateway, onEvent = () => {}, scopes = SCOPES) {
  const socket = new WebSocket(gateway.url);
  const waiting = new Map();
  let challenge, refuse;
  const challenged = new Promise((resolve, reject) => ([challenge, refuse] = [resolve, reject]));
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.event === 'connect.challenge') challenge(frame.payload);
    else if (frame.type === 'event') onEvent(frame);
    else if (frame.ok) waiting.get(frame.id)?.resolve(frame.payload);
    else waiting.get(frame.id)?.reject(new Error(JSON.stringify(frame.error)));
  };
  socket.onclose = ({ code, reason }) => {
    const error = new Error(`closed ${code} ${reason}`);
    refuse(error);
    waiting.forEach(({ reject }) => reject(error));
  };
  socket.onerror = () => {};
  const call = (method, params) =>
    new Promise((resolve, reject) => {
      const id = randomUUID();
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ type: 'req', id, method, params }));
    });
  await call('connect', identify(gateway.token, scopes, await challenged));
  return { call, close: () => socket.close() };
}

function identify(token, scopes, { nonce, ts }) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const id = createHash('sha256').update(raw).digest('hex');
  const client = { id: 'test', version: '0.1.0', platform: 'linux', mode: 'test', deviceFamily: 'desktop' };
  const payload = ['v3', id, client.id, client.mode, 'operator', scopes.join(','), ts, token, nonce, 'linux', 'desktop'];
  const signature = sign(null, Buffer.from(payload.join('|')), privateKey);
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client,
    role: 'operator',
    scopes,
    caps: [],
    auth: { token },
    device: { id, publicKey: raw.toString('base64url'), signature: signature.toString('base64url'), signedAt: ts, nonce },
  };
}

/** Adds a job to the gateway's scheduler, runs it at once and gives its id; the agent is asked `message`. */
export async function runJob(gateway, name, message) {
  const client = await connectTo(gateway, () => {}, ADMIN);
  try {
    const schedule = { kind: 'every', everyMs: 24 * 3_600_000 };
    const job = { name, agentId: 'main', schedule, sessionTarget: 'isolated', wakeMode: 'now', delivery: { mode: 'none' } };
    const { id } = await client.call('cron.add', { ...job, payload: { kind: 'agentTurn', message } });
    await client.call('cron.run', { id, mode: 'force' });
    return id;
  } finally {
    client.close();
  }
}
