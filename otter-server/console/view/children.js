const FOLLOWED = 8;

/**
 * Runs of sub-agents live in conversations of their own. While this conversation has begun some, those of its agent
 * that were active last are followed, so that their runs can be told here.
 *
 * @param {any} client @param {string} conversationId @param {() => void} changed
 */
export function createChildren(client, conversationId, changed) {
  /** @type {Map<string, { store: any, off: () => void }>} */
  const followed = new Map();
  const sessions = client.list('session', { where: { kind: 'subagent' }, order: '-lastActivityAt' });
  const off = sessions.subscribe(changed);

  /** @param {readonly any[]} steps @param {readonly any[]} runs @returns {any[]} runs of sub-agents, oldest first */
  function of(steps, runs) {
    const agents = new Set(runs.map(({ agentId }) => agentId));
    const spawned = steps.some(({ name }) => name.includes('spawn'));
    const wanted = new Set();
    for (const id of spawned ? sessions.get().ids : []) {
      const session = client.entity('session', id).get();
      const of = session?.conversationId ?? id;
      if (wanted.size < FOLLOWED && of !== conversationId && agents.has(session?.agentId)) wanted.add(of);
    }
    for (const id of followed.keys()) if (!wanted.has(id)) drop(id);
    for (const id of wanted) if (!followed.has(id)) follow(id);
    const mine = new Set(runs.map(({ id }) => id));
    return [...followed.values()].flatMap(({ store }) => store.get().rows).filter((run) => mine.has(run.parentRunId));
  }

  /** @param {string} id */
  function follow(id) {
    const store = client.runs(id);
    followed.set(id, { store, off: store.subscribe(changed) });
  }

  /** @param {string} id */
  function drop(id) {
    followed.get(id)?.off();
    followed.delete(id);
  }

  return {
    of,
    end() {
      off();
      [...followed.keys()].forEach(drop);
    },
  };
}
