// Asking for things from a page that shows something else.

/** How long a turn of the gateway may take to begin: on a busy machine it prepares itself for most of a minute. */
export const TURN_MS = 90_000;

/** Says something to an agent, as the console does, from whatever page is open. */
export function say(page, conversationId, text) {
  return ask(page, 'message.send', { conversationId, text });
}

/** Sends a command as this person and gives how the hub answered. */
export function ask(page, kind, data) {
  return page.page.evaluate(([name, value]) => window.otter.command(name, value).accepted, [kind, data]);
}
