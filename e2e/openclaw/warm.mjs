// Starts the real gateway and the scripted model once, has one answer streamed to a small client and prints how long
// each step took. It proves that this machine can run the end-to-end suite, and the gateway's own caches are warm after it.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectTo } from '../gateway-client.mjs';
import { Gateway } from '../gateway.mjs';
import { startModel, wordText } from '../model.mjs';

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
    const client = await connectTo(gateway, ({ event, payload }) => {
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

await warm();
