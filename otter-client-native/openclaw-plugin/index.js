// OpenClaw plugin `otter`: an agent pushes an item with the tool `otter_feed_push`, the bridge hears of it as
// `plugin.otter.feed` and reads what it missed with `otter.feed.list`.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { BadItem, makeItem, parameters } from './item.js';
import { Store } from './store.js';
import { Teller } from './teller.js';

// The module is loaded more than once; the instance with the tool is not the one with the service.
const shared = (globalThis[Symbol.for('otter.feed')] ??= { teller: undefined });

const DESCRIPTION =
  'Shows something to the people who follow this machine in Otter: a mail, a market move, a post, an alert or a note. ' +
  'Use it for what they should know without asking; once for each thing.';

export default {
  id: 'otter',
  name: 'Otter feed',
  description: 'Lets an agent push items into the Otter feed',
  configSchema: { type: 'object', additionalProperties: false, properties: {} },

  register(api) {
    const store = new Store(join(stateDir(api), 'otter', 'feed.jsonl'));
    const push = (params, context) => {
      const item = makeItem(params, context);
      store.push(item);
      shared.teller?.tell(item);
      return item;
    };

    api.registerService({
      id: 'otter-feed',
      start(context) {
        shared.teller?.stop();
        shared.teller = new Teller(store, context.gatewayEvents);
      },
      stop() {
        shared.teller?.stop();
        shared.teller = undefined;
      },
    });

    api.registerTool(({ agentId }) => feedTool((params) => push(params, { agentId })), { name: 'otter_feed_push' });

    api.registerGatewayMethod('otter.feed.list', async ({ respond }) => respond(true, { items: store.list() }), {
      scope: 'operator.read',
    });

    api.registerGatewayMethod('otter.feed.push', async ({ params, respond }) => answer(respond, () => ({ item: push(params) })), {
      scope: 'operator.write',
    });
  },
};

function feedTool(push) {
  return {
    name: 'otter_feed_push',
    label: 'Otter feed',
    description: DESCRIPTION,
    parameters,
    async execute(_id, params) {
      const { id } = push(params);
      return { content: [{ type: 'text', text: `Pushed to the Otter feed as ${id}.` }], details: { id } };
    },
  };
}

function answer(respond, make) {
  try {
    respond(true, make());
  } catch (error) {
    const code = error instanceof BadItem ? 'INVALID_REQUEST' : 'UNAVAILABLE';
    respond(false, undefined, { code, message: error.message });
  }
}

function stateDir(api) {
  return api.runtime?.state?.resolveStateDir?.(process.env) ?? process.env.OPENCLAW_STATE_DIR ?? join(homedir(), '.openclaw');
}
