/** What the preview shows: machines, agents and talks as a hub would tell them. */

export const MEMBER = { type: 'member', id: 'mb_mara', name: 'Mara' };
export const CONVERSATION = 'in_mac:ada';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** @param {(ms?: number) => string} at */
export function world(at) {
  const me = { type: 'member', id: MEMBER.id, name: MEMBER.name };
  const ada = { type: 'agent', id: 'in_mac:ada' };
  const org = [
    ['instance/in_mac', { name: 'Studio Mac', connection: 'online', connectedAt: at(-3 * HOUR), bridge: { name: 'otter-bridge', version: '0.1.0' }, gateway: { state: 'online', version: '2026.9.6', since: at(-3 * HOUR) }, outbox: { pending: 0 } }],
    ['instance/in_pi', { name: 'Boat shed Pi', connection: 'online', connectedAt: at(-4 * MINUTE), bridge: { name: 'otter-bridge', version: '0.1.0' }, gateway: { state: 'pairing', requestId: '7f3a-91c2' } }],
    ['instance/in_old', { name: 'Old ThinkPad', connection: 'offline', disconnectedAt: at(-26 * HOUR), reason: 'closed its lid', gateway: { state: 'online', version: '2026.9.2' } }],
    ['agent/in_mac:ada', { instanceId: 'in_mac', name: 'Ada', model: 'claude-opus-4-6', isDefault: true, status: 'busy', statusText: 'building the release', statusAt: at(-3 * MINUTE) }],
    ['agent/in_mac:juno', { instanceId: 'in_mac', name: 'Juno', model: 'gpt-5.2', status: 'idle', statusAt: at(-HOUR) }],
    ['agent/in_mac:mail', { instanceId: 'in_mac', name: 'Postmaster', model: 'claude-haiku-4-5', status: 'idle', statusText: 'waits for the next mail', statusAt: at(-5 * HOUR) }],
    ['agent/in_old:scout', { instanceId: 'in_old', name: 'Scout', model: 'gpt-5.2', status: 'idle', statusAt: at(-26 * HOUR) }],
    ['member/mb_mara', { name: 'Mara', role: 'owner' }],
    ['member/mb_tom', { name: 'Tom', role: 'member' }],
    ['member/mb_ines', { name: 'Inês', role: 'admin' }],
    ['member/mb_per', { name: 'Per', role: 'viewer' }],
    session('in_mac:ada', 'ada', { contextUsed: { value: 118_400, at: at(-2 * MINUTE), fresh: true }, lastActivityAt: at(-40_000), status: 'running', lifetimeTokens: 4_820_000 }),
    session('in_mac:juno', 'juno', { contextUsed: { value: 171_000, at: at(-HOUR), fresh: false }, lastActivityAt: at(-HOUR), status: 'idle' }),
    session('in_mac:mail', 'mail', { lastActivityAt: at(-5 * HOUR), status: 'done', channel: 'email' }),
    session('in_old:scout', 'scout', { lastActivityAt: at(-26 * HOUR), status: 'killed' }),
    talk('in_mac:ada', { title: 'Release 0.4', pinned: true, lastMessage: { author: ada, sentAt: at(-2 * MINUTE), head: 'All 214 tests pass. The one failure was a missing fixture in the state folder.' } }),
    talk('in_mac:juno', { derivedTitle: 'Which heat pump for the boat shed?', lastMessage: { author: { type: 'agent', id: 'in_mac:juno' }, sentAt: at(-HOUR), head: 'The smaller one is enough if you insulate the roof first.' } }),
    talk('in_mac:mail', { lastMessage: { author: me, sentAt: at(-5 * HOUR), head: 'archive everything from the newsletter' } }),
    talk('in_old:scout', { derivedTitle: 'Trails near the lake', lastMessage: { author: { type: 'agent', id: 'in_old:scout' }, sentAt: at(-26 * HOUR), head: 'I found three, the northern one is dry by May.' } }),
  ];
  return { org, conversations: { [CONVERSATION]: release(at, me, ada), 'in_mac:juno': [], 'in_mac:mail': mail(at, me), 'in_old:scout': lost(at, me) } };
}

const session = (id, agentId, rest) => [`session/${id}`, { instanceId: id.split(':')[0], agentId: id, key: `agent:${agentId}:main`, model: 'claude-opus-4-6', contextLimit: 200_000, conversationId: id, channel: 'webchat', ...rest }];
const talk = (id, rest) => [`conversation/${id}`, { instanceId: id.split(':')[0], agentId: id, address: { kind: 'session' }, messageCount: 12, activeRun: null, ...rest }];
const said = (conversationId, id, author, sentAt, text, rest) => [`message/${id}`, { conversationId, author, sentAt, text, status: 'complete', ...rest }];

function release(at, me, ada) {
  const c = CONVERSATION;
  const run = (id, from, to, rest) => [`run/in_mac:${id}`, { conversationId: c, agentId: c, state: 'completed', startedAt: at(from), endedAt: at(to), model: 'claude-opus-4-6', usage: { input: 48_000, output: 1_230 }, ...rest }];
  return [
    said(c, 'm1', me, at(-25 * HOUR), 'Morning! Where do we stand with 0.4?', { delivery: { state: 'delivered' } }),
    said(c, 'in_mac:r1:answer', ada, at(-25 * HOUR + 40_000), YESTERDAY, { runId: 'in_mac:r1' }),
    run('r1', -25 * HOUR + 3000, -25 * HOUR + 40_000),
    said(c, 'm2', { type: 'member', id: 'mb_tom', name: 'Tom' }, at(-9 * MINUTE), 'I pushed the schema fix, can you run the whole suite again?', { delivery: { state: 'delivered' } }),
    run('r2', -8 * MINUTE, -7 * MINUTE, { state: 'failed', error: { code: 'rate_limit', message: 'the model provider answered 529, overloaded' } }),
    said(c, 'm2b', me, at(-6 * MINUTE), 'Tom, thanks! Ada, go ahead.', { delivery: { state: 'failed', reason: 'the gateway was not reachable for 48 hours' } }),
    said(c, 'm3', me, at(-5 * MINUTE), 'please try again', { delivery: { state: 'delivered' } }),
    said(c, 'm4', me, at(-5 * MINUTE + 9000), 'and tell me what you changed\nhttps://example.org/otter/changes', { delivery: { state: 'delivered', intoRun: 'in_mac:r3' } }),
    said(c, 'in_mac:r3:answer', ada, at(-2 * MINUTE), TODAY, { runId: 'in_mac:r3' }),
    run('r3', -5 * MINUTE, -2 * MINUTE),
  ];
}

function mail(at, me) {
  return [said('in_mac:mail', 'n1', me, at(-5 * HOUR), 'archive everything from the newsletter', { delivery: { state: 'delivered' } }),
    ['run/in_mac:n2', { conversationId: 'in_mac:mail', agentId: 'in_mac:mail', state: 'completed', empty: true, startedAt: at(-5 * HOUR + 2000), endedAt: at(-5 * HOUR + 9000) }]];
}

function lost(at, me) {
  return [said('in_old:scout', 's1', me, at(-27 * HOUR), 'Find trails near the lake.', { delivery: { state: 'delivered' } }),
    said('in_old:scout', 'in_old:x:answer', { type: 'agent', id: 'in_old:scout' }, at(-26 * HOUR), 'I found three, the northern one is dry by May. The second', { status: 'interrupted', runId: 'in_old:x' }),
    ['run/in_old:x', { conversationId: 'in_old:scout', agentId: 'in_old:scout', state: 'failed', startedAt: at(-26 * HOUR - 20_000), endedAt: at(-26 * HOUR), error: { code: 'lost', message: 'the gateway restarted in the middle of this run' } }],
    said('in_old:scout', 's2', me, at(-30 * MINUTE), 'And with a dog?', { delivery: { state: 'pending' } })];
}

const YESTERDAY = `Close. Two things are left:

1. The migration of \`state.db\` needs a test on a copy of real data.
2. The changelog.

I would do the **migration first**: it is the part that can hurt.`;

const TODAY = `All 214 tests pass. The one failure was a missing fixture in the \`state\` folder.

\`\`\`rust
#[test]
fn a_merge_of_an_absent_entity_does_nothing() {
    let mut state = State::new();
    state.apply(&merge("task/t_1", r#"{"status":"done"}"#));
    assert!(state.is_empty());
}
\`\`\`

| crate | tests | time |
| --- | --- | --- |
| otter-proto | 131 | 4.1 s |
| otter-server | 58 | 9.8 s |
| otter-bridge | 25 | 2.2 s |

> Nothing else changed: the diff is in [the branch](https://example.org/otter/changes).`;

/** @param {string} runId */
export const answerFor = (runId) => (runId.length % 2 ? TODAY : `Good question. I looked at it from three sides:

- **The log.** Every event of the last hour is there once, in order, and the hash of each scope agrees.
- **The gateway.** It restarted at noon, and the run that was going on came back by itself.
- **The page.** It was hidden for forty minutes and caught up in 80 ms.

So nothing is lost. If you want to see it yourself, run \`cargo xtask demo\`, type something, and pull the plug while I answer

What I would do next is small: write the sentence about this into the guarantees, with the test that holds it.`);
