/** What the preview's agents do: tool calls, approvals, runs of sub-agents, and a conversation of thousands of rows. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ADA = 'in_mac:ada';
const TOM = { type: 'member', id: 'mb_tom', name: 'Tom' };
const MARA = { type: 'member', id: 'mb_mara', name: 'Mara' };

export const LONG = 'in_mac:long';
export const CHILD = 'in_mac:child';
export const LONG_ROWS = 3000;

export const LONG_COMMAND = `set -euo pipefail
cd ~/code/otter
for crate in otter-proto otter-server otter-client-native otter-client-wasm; do
  echo "== $crate"
  cargo build --release -p "$crate"
  strip "target/release/$crate" || true
done
tar czf /tmp/otter-0.4.0.tar.gz -C target/release otter-server otter-bridge
sha256sum /tmp/otter-0.4.0.tar.gz > /tmp/otter-0.4.0.tar.gz.sha256
gh release create v0.4.0 /tmp/otter-0.4.0.tar.gz /tmp/otter-0.4.0.tar.gz.sha256 \\
  --title "Otter 0.4.0" --notes-file CHANGELOG.md --verify-tag
ssh deploy@harbour.example.org 'sudo systemctl stop otter-server \\
  && curl -fsSL https://example.org/otter/0.4.0/otter-server -o /usr/local/bin/otter-server \\
  && sudo systemctl start otter-server && sleep 2 && curl -fsS localhost:4200/readyz'
git push origin v0.4.0
rm -rf target/release/build # and what nobody reads at the end of a long command`;

const approval = (id, rest) => [`approval/in_mac:${id}`, {
  instanceId: 'in_mac', agentId: ADA, conversationId: ADA, host: 'gateway', allowedDecisions: ['allow-once', 'allow-always', 'deny'], state: 'pending', ...rest,
}];
const step = (id, runId, from, ms, rest) => (at) => [`step/in_mac:${runId}:${id}`, {
  conversationId: ADA, runId: `in_mac:${runId}`, name: 'exec', status: 'completed', exitCode: 0, startedAt: at(from), endedAt: at(from + ms), durationMs: ms, ...rest,
}];

/** Approvals that have ended, and those of the scenes that are about them. @param {(ms?: number) => string} at @param {string} scene */
export function approvals(at, scene) {
  const past = [
    approval('ap-suite', { command: 'cargo test --workspace -- --include-ignored', requestedAt: at(-4 * MINUTE), state: 'resolved', outcome: 'allowed', decision: 'allow-once', by: TOM, decidedAt: at(-4 * MINUTE + 21_000), resolvedAt: at(-4 * MINUTE + 22_000), runId: 'in_mac:r3' }),
    approval('ap-force', { command: 'git push --force origin main', requestedAt: at(-25 * HOUR + 9000), state: 'resolved', outcome: 'denied', decision: 'deny', by: MARA, decidedAt: at(-25 * HOUR + 20_000), resolvedAt: at(-25 * HOUR + 21_000), runId: 'in_mac:r1' }),
    approval('ap-late', { command: 'npm publish', conversationId: 'in_mac:juno', agentId: 'in_mac:juno', requestedAt: at(-30 * HOUR), state: 'expired', resolvedAt: at(-29 * HOUR) }),
  ];
  if (!['approvals', 'overdue', 'decided', 'viewer'].includes(scene)) return past;
  const expiresAt = at(scene === 'overdue' ? -90_000 : 9 * MINUTE + 41_000);
  return [...past,
    approval('ap-1', { command: 'rm -rf target/debug/incremental && cargo build -p otter-server', requestedAt: at(-50_000), expiresAt, runId: 'in_mac:run-busy' }),
    approval('ap-2', { command: LONG_COMMAND, requestedAt: at(-20_000), expiresAt, runId: 'in_mac:run-busy', warning: 'The command changes another machine over ssh.' }),
    approval('ap-3', { command: 'curl -fsS https://example.org/weather', conversationId: 'in_mac:juno', agentId: 'in_mac:juno', requestedAt: at(-12_000), expiresAt: at(44_000), allowedDecisions: ['allow-once', 'deny'] }),
  ];
}

/** @param {(ms?: number) => string} at @returns {any[]} rows of the conversation that the preview opens with */
export function steps(at) {
  return [
    step('a', 'r1', -25 * HOUR + 5000, 2100, { title: 'git status', outputHead: 'On branch main\nnothing to commit, working tree clean\n' }),
    step('b', 'r1', -25 * HOUR + 9000, 12_000, { title: 'git push --force origin main', status: 'denied', exitCode: undefined, approvalId: 'in_mac:ap-force', error: 'a person denied it' }),
    step('a', 'r2', -8 * MINUTE + 4000, 1200, { name: 'read', title: 'otter-proto/src/state.rs', exitCode: undefined }),
    step('a', 'r3', -5 * MINUTE + 3000, 900, { name: 'read', title: 'schemas/v1/fixtures/state', exitCode: undefined }),
    step('b', 'r3', -5 * MINUTE + 6000, 41_000, { title: 'cargo test -p otter-proto', status: 'failed', exitCode: 101, outputHead: FAILED, outputTruncated: true }),
    step('c', 'r3', -5 * MINUTE + 52_000, 800, { name: 'edit', title: 'schemas/v1/fixtures/state/merge-of-nothing.json', exitCode: undefined }),
    step('d', 'r3', -4 * MINUTE, 64_000, { title: 'cargo test --workspace -- --include-ignored', approvalId: 'in_mac:ap-suite', outputHead: 'test result: ok. 214 passed; 0 failed; 0 ignored\n' }),
    step('e', 'r3', -3 * MINUTE + 10_000, 22_000, { name: 'sessions_spawn', title: 'ask a second pair of eyes', exitCode: undefined }),
  ].map((make) => make(at));
}

/** The conversation of a sub-agent that the last run began. @param {(ms?: number) => string} at */
export function child(at) {
  const run = { conversationId: CHILD, agentId: ADA, parentRunId: 'in_mac:r3', model: 'claude-haiku-4-5' };
  const org = [
    [`session/${CHILD}`, { instanceId: 'in_mac', agentId: ADA, key: 'agent:ada:subagent:4f2f', kind: 'subagent', label: 'second pair of eyes', conversationId: CHILD, contextLimit: 200_000, status: 'done', lastActivityAt: at(-3 * MINUTE + 31_000) }],
    [`conversation/${CHILD}`, { instanceId: 'in_mac', agentId: ADA, address: { kind: 'session' }, derivedTitle: 'second pair of eyes', messageCount: 1, activeRun: null, lastMessage: { author: { type: 'agent', id: ADA }, sentAt: at(-3 * MINUTE + 31_000), head: 'The fixture is right.' } }],
  ];
  const rows = [
    ['run/in_mac:c1', { ...run, state: 'completed', startedAt: at(-3 * MINUTE + 12_000), endedAt: at(-3 * MINUTE + 31_000), usage: { output: 212 } }],
    ['message/in_mac:c1:answer', { conversationId: CHILD, author: { type: 'agent', id: ADA }, sentAt: at(-3 * MINUTE + 31_000), text: 'The fixture is right: a merge of an absent entity changes nothing.', status: 'complete', runId: 'in_mac:c1' }],
  ];
  return { org, rows };
}

const BEGUN = Date.now();

/** One row of the long conversation, 0 being the oldest. @param {number} index */
export function longRow(index) {
  const agent = index % 3 === 2;
  const lines = 1 + ((index * 7) % 5);
  const text = Array.from({ length: lines }, (_, line) => `Row ${index}, line ${line + 1}: the river is ${['calm', 'high', 'cold', 'clear'][(index + line) % 4]} today.`).join('\n');
  return [`message/in_mac:long-${String(index).padStart(5, '0')}`, {
    conversationId: LONG, author: agent ? { type: 'agent', id: 'in_mac:juno' } : index % 2 ? TOM : MARA, text, status: 'complete', sentAt: new Date(BEGUN - (LONG_ROWS - index) * 7 * MINUTE).toISOString(),
  }];
}

const FAILED = `running 131 tests
test state::tests::a_merge_of_an_absent_entity_does_nothing ... FAILED

failures:

---- state::tests::a_merge_of_an_absent_entity_does_nothing stdout ----
thread 'state::tests::a_merge_of_an_absent_entity_does_nothing' panicked at otter-proto/src/state/tests.rs:88:10:
called \`Result::unwrap()\` on an \`Err\` value: Os { code: 2, kind: NotFound, message: "No such file or directory" }
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace
`;
