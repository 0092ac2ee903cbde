import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { createClientWith } from '../client.js';
import { OtterProvider, useCommand, useConnection, useEntity, useList, useMessages, useScope } from '../react.js';
import { createFakeCore } from '../testing.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));

function setup() {
  const fake = createFakeCore();
  const client = createClientWith(() => Promise.reject(), { core: fake.Core, url: 'http://hub.test/ws', freeze: true });
  return { fake, client, html: (Part) => renderToString(createElement(OtterProvider, { client }, createElement(Part))) };
}

function Page() {
  const { phase } = useConnection();
  const agents = useList('agent', { where: { instanceId: 'in_a' } });
  const agent = useEntity('agent', agents.ids[0]);
  const { rows, loading } = useMessages('in_a:main');
  const org = useScope('org');
  const [, sent] = useCommand('message.send');
  return [phase, agent?.name ?? 'nobody', loading ? 'loading' : rows.map(({ text }) => text).join('+'), org.phase, sent?.state ?? 'unsent'].join(' ');
}

test('renders on a server without starting anything', async () => {
  const { fake, html } = setup();
  assert.equal(html(Page), 'idle nobody loading loading unsent');
  await tick();
  assert.equal(fake.instances.length, 0);
});

test('renders what the client knows', async () => {
  const { fake, client, html } = setup();
  client.start();
  await tick();
  fake.push({
    connection: { phase: 'online' },
    put: [
      ['org', 'agent/in_a:main', 1, true, { instanceId: 'in_a', name: 'Ada' }],
      ['conversation/in_a:main', 'message/m1', 2, true, { text: 'hi', sentAt: '2026' }],
    ],
    slots: [['in_a:main', 'r1', 0, 'hello']],
    scopes: { org: { phase: 'live', reason: null }, 'conversation/in_a:main': { phase: 'live', reason: null } },
  });
  await tick();
  assert.equal(html(Page), 'online Ada hi+hello live unsent');
  client.close();
});

test('says what is missing when there is no provider', () => {
  const Lost = () => useConnection().phase;
  assert.throws(() => renderToString(createElement(Lost)), /OtterProvider/);
});
