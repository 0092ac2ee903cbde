// Starts the real gateway and the scripted model once, has one answer streamed to a small client and prints how long
// each step took. It proves that this machine can run the end-to-end suite, and the gateway's own caches are warm after it.

import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Gateway } from '../gateway.mjs';
import { startModel, wordText } from '../model.mjs';
import { openclaw } from './install.mjs';

const SCOPES = ['operator.read', 'operator.write'];

/** A client of the gateway: requests by `call`, events by `onEvent`. */
async function connect(gateway, onEvent) {
  const socket = new WebSocket(gateway.url);
  const waiting = new Map();
  let challenge;
  const challenged = new Promise((resolve) => (challenge = resolve));
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.event === 'connect.challenge') challenge(frame.payload);
    else if (frame.type === 'event') onEvent(frame);
    else if (frame.ok) waiting.get(frame.id)?.resolve(frame.payload);
    else waiting.get(frame.id)?.reject(new Error(JSON.stringify(frame.error)));
  };
  const call = (method, params) =>
    new Promise((resolve, reject) => {
      const id = randomUUID();
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ type: 'req', id, method, params }));
    });
  await call('connect', identify(gateway.token, await challenged));
  return { call, close: () => socket.close() };
}

function identify(token, { nonce, ts }) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const id = createHash('sha256').update(raw).digest('hex');
  const client = { id: 'gateway-client', version: '0.1.0', platform: 'linux', mode: 'ui', deviceFamily: 'desktop' };
  const payload = ['v3', id, client.id, client.mode, 'operator', SCOPES.join(','), ts, token, nonce, 'linux', 'desktop'];
  const signature = sign(null, Buffer.from(payload.join('|')), createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client,
    role: 'operator',
    scopes: SCOPES,
    caps: [],
    auth: { token },
    device: { id, publicKey: raw.toString('base64url'), signature: signature.toString('base64url'), signedAt: ts, nonce },
  };
}

async function warm() {
  const dir = mkdtempSync(join(tmpdir(), 'otter-warm-'));
  const model = await startModel();
  const gateway = await Gateway.create({ dir, modelUrl: model.url });
  const begun = Date.now();
  const step = (name) => console.log(`${name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  try {
    await gateway.start();
    step('ready');
    let finished;
    const final = new Promise((resolve) => (finished = resolve));
    let deltas = 0;
    const client = await connect(gateway, ({ event, payload }) => {
      if (event !== 'chat') return;
      if (payload.state === 'delta' && ++deltas === 1) step('first piece of the answer');
      if (payload.state === 'final' || payload.state === 'error') finished(payload);
    });
    step('connected');
    await client.call('chat.send', { sessionKey: 'agent:main:main', message: 'STREAM:20:20', idempotencyKey: randomUUID() });
    step('message taken');
    const answer = (await final).message?.content?.[0]?.text;
    step(`answered in ${deltas} pieces`);
    if (answer !== wordText(20)) throw new Error(`unexpected answer: ${answer}\n${gateway.process.tail()}`);
    client.close();
    await gateway.kill9();
    console.log(`started again in ${((await gateway.start()) / 1000).toFixed(1)} s`);
  } finally {
    await gateway.process?.kill9();
    await model.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

// The Node that the gateway needs has a WebSocket; an older one that runs this file hands over.
if (globalThis.WebSocket) await warm();
else process.exitCode = spawnSync(openclaw().node, [fileURLToPath(import.meta.url)], { stdio: 'inherit' }).status ?? 1;
