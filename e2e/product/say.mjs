// Asking for things from a page that shows something else.

/** How long a turn of the gateway may take to begin: on a busy machine it prepares itself for most of a minute. */
export const TURN_MS = 90_000;

/** Says something to an agent, as the console does, from whatever page is open. */
export function say(page, conversationId, text) {
  return ask(page, 'message.send', { conversationId, text });
}

/** Sends a command as this person and gives its id and how the hub answered. */
export function ask(page, kind, data) {
  const send = async ([name, value]) => {
    const command = window.otter.command(name, value);
    return { id: command.id, ...(await command.accepted) };
  };
  return page.page.evaluate(send, [kind, data]);
}
