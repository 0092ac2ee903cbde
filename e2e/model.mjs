// A scripted OpenAI-compatible model on loopback. What it answers is decided by a keyword in the person's message, so a
// test says in the message itself what it wants to see:
//
//   STREAM:<n words>:<ms per word>[:<tag>]  n numbered words, one piece each: `tag0 tag1 ...`
//   GATE:<name>:<n words>[:<tag>]           half of the words, then nothing until the test calls `release(name)`
//   EMPTY                                   an answer without any text
//   RUN_EXEC:<command>                      a short text, then an exec tool call
//   CALL_TOOL:<name> <json>                 a tool call with these arguments
//   FEED:<category>:<title>                 pushes this item into the feed (the plugin of otter-client-native)
//   SPAWN:<message>                         begins a sub-agent with this message, which may hold a keyword of its own
//   SLOW                                    STREAM:200:150
//   FAIL500                                 HTTP 500 with an OpenAI error body
//   anything else                           one friendly sentence in seven pieces

import http from 'node:http';
import { randomUUID } from 'node:crypto';

const ASKED_AGAIN = 'did not produce a user-visible';
const INTERNAL = '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>';
/** What it says to a message without a keyword. */
export const GREETING = 'Hello from the fake model. All is well.';
/** What it says when the gateway resumes a turn that a kill cut off. */
export const RESUMED = 'Picked up where the restart cut me off. All is well.';
const MODEL = 'fake-1';

/** Starts the model. `requests` lists what it was asked, in order; `release(name)` opens a gate; `close()` ends it. */
export async function startModel({ port = 0 } = {}) {
  const requests = [];
  const gates = new Map();
  const server = http.createServer((request, response) => {
    serve(request, response, { requests, gate: (name) => gateOf(gates, name) }).catch(() => response.destroy());
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    requests,
    release: (name) => gateOf(gates, name).open(),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function gateOf(gates, name) {
  if (!gates.has(name)) {
    let open;
    const opened = new Promise((resolve) => (open = resolve));
    gates.set(name, { opened, open });
  }
  return gates.get(name);
}

async function serve(request, response, context) {
  const path = new URL(request.url, 'http://model').pathname;
  if (request.method === 'GET' && path.endsWith('/models')) {
    return json(response, 200, { object: 'list', data: [{ id: MODEL, object: 'model', created: 0, owned_by: 'otter' }] });
  }
  if (request.method !== 'POST' || !path.endsWith('/chat/completions')) return json(response, 404, {});
  const body = JSON.parse(await text(request));
  const turn = lastTurn(body.messages ?? []);
  context.requests.push(turn);
  const script = scriptOf(turn);
  if (script.fail) return json(response, 500, { error: { message: 'scripted failure', type: 'server_error' } });
  if (!body.stream) return json(response, 200, whole(script));
  await stream(response, script, context);
}

/** What the model is asked: the newest turn, without the context block that the gateway appends as a user message. */
function lastTurn(messages) {
  const turns = messages.map(({ role, content }) => ({ role, text: contentText(content) }));
  // After an answer without text the gateway asks again by itself.
  const added = ({ role, text }) => role === 'user' && (text.trimStart().startsWith(INTERNAL) || text.includes(ASKED_AGAIN));
  while (turns.length > 1 && added(turns.at(-1))) turns.pop();
  const last = turns.at(-1);
  if (last?.role === 'tool') return last;
  return turns.findLast((turn) => turn.role === 'user' && !added(turn)) ?? { role: 'user', text: '' };
}

function contentText(content) {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

function scriptOf({ role, text }) {
  if (role === 'tool') return say(`Tool returned: ${text.trim().slice(0, 400)} -- finished.`);
  const at = (pattern) => text.match(pattern);
  let found;
  if (/interrupted by a gateway restart/.test(text)) return say(RESUMED);
  if ((found = at(/SPAWN:(.+)/))) return deferred('core:sessions_spawn', { task: found[1].trim(), label: 'otter research', agentId: 'main' });
  if ((found = at(/FEED:(\w+):(.+)/))) return deferred('otter:otter_feed_push', feedItem(found[1], found[2].trim()));
  if ((found = at(/STREAM:(\d+):(\d+)(?::([a-z]+))?/))) return words(Number(found[1]), Number(found[2]), found[3]);
  if ((found = at(/GATE:([\w-]+):(\d+)(?::([a-z]+))?/))) {
    return { ...words(Number(found[2]), 30, found[3]), gate: found[1] };
  }
  if ((found = at(/RUN_EXEC:(.+)/))) return { ...say('Let me run that.'), tool: { name: 'exec', args: { command: found[1].trim() } } };
  if ((found = at(/CALL_TOOL:([\w.:-]+) (\{.*\})/))) return { pieces: [], pause: 0, tool: { name: found[1], args: JSON.parse(found[2]) } };
  if (/\bFAIL500\b/.test(text)) return { fail: true };
  if (/\bEMPTY\b/.test(text)) return { pieces: [], pause: 0 };
  if (/\bSLOW\b/.test(text)) return words(200, 150);
  return say(GREETING);
}

/** A call of a tool that the gateway keeps in its catalogue instead of naming it to the model. */
const deferred = (id, args) => ({ pieces: [], pause: 0, tool: { name: 'tool_call', args: { id: `openclaw:${id}`, args } } });

/** The fields that an item of this category is shown with. */
function feedItem(category, title) {
  const more = {
    email: { from: 'Ada Lovelace <ada@example.com>', body: 'The invoice of **November** is due on Friday.' },
    market: { symbol: 'OTTR', price: '41.20 USD', change: '+3.4 %' },
    social: { from: 'Otter Camp', handle: '@ottercamp', body: 'We are live.', url: 'https://example.com/posts/1' },
    alert: { severity: 'critical', body: 'The disk of `db-1` is 97 % full.' },
    custom: { body: 'A note of the agent.', detail: { origin: 'model' } },
  };
  return { category, title, ...more[category] };
}

const say = (sentence) => ({ pieces: sentence.match(/\S+\s*/g), pause: 20 });

/** The text that `STREAM` and `GATE` make: every tenth word carries a character outside the basic plane. */
export function wordText(count, tag = 'word') {
  return Array.from({ length: count }, (_, i) => `${tag}${i}${i % 10 === 9 ? '\u{1F9A6}' : ''}`).join(' ');
}

function words(count, pause, tag) {
  return { pieces: wordText(count, tag).match(/\S+\s*/g) ?? [], pause };
}

function whole(script) {
  const message = { role: 'assistant', content: script.pieces.join('') };
  if (script.tool) message.tool_calls = [toolCall(script.tool)];
  const choice = { index: 0, message, finish_reason: script.tool ? 'tool_calls' : 'stop' };
  return { ...envelope('chat.completion'), choices: [choice], usage: usage(script) };
}

async function stream(response, script, { gate }) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const closed = new Promise((resolve) => response.once('close', resolve));
  const send = (choices, extra = {}) => response.write(`data: ${JSON.stringify({ ...envelope('chat.completion.chunk'), choices, ...extra })}\n\n`);
  const delta = (value, finish = null) => send([{ index: 0, delta: value, finish_reason: finish }]);
  delta({ role: 'assistant', content: '' });
  const half = Math.floor(script.pieces.length / 2);
  for (const [i, piece] of script.pieces.entries()) {
    if (script.gate && i === half) await Promise.race([gate(script.gate).opened, closed]);
    if (response.destroyed) return;
    delta({ content: piece });
    await Promise.race([pause(script.pause), closed]);
  }
  if (script.tool) sendToolCall(delta, script.tool);
  delta({}, script.tool ? 'tool_calls' : 'stop');
  send([], { usage: usage(script) });
  response.end('data: [DONE]\n\n');
}

function sendToolCall(delta, tool) {
  const call = toolCall(tool);
  const { arguments: args } = call.function;
  delta({ tool_calls: [{ index: 0, ...call, function: { name: tool.name, arguments: '' } }] });
  for (let i = 0; i < args.length; i += 12) {
    delta({ tool_calls: [{ index: 0, function: { arguments: args.slice(i, i + 12) } }] });
  }
}

function toolCall({ name, args }) {
  return { id: `call_${randomUUID().replaceAll('-', '').slice(0, 20)}`, type: 'function', function: { name, arguments: JSON.stringify(args) } };
}

function envelope(object) {
  return { id: `cmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model: MODEL };
}

function usage(script) {
  const tokens = script.pieces.length;
  return { prompt_tokens: 1000, completion_tokens: tokens, total_tokens: 1000 + tokens };
}

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (import.meta.url === `file://${process.argv[1]}`) {
  const model = await startModel({ port: Number(process.argv[2] ?? 18791) });
  console.log(model.url);
}
