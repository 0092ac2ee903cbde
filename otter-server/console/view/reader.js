/**
 * What this person has read of a conversation: the line before the first unread message, and the mark that moves when
 * the end is in sight of somebody who looks.
 *
 * @param {any} client @param {string} conversationId
 * @param {{ isAtEnd(): boolean, changed(): void }} of
 */
export function createReader(client, conversationId, { isAtEnd, changed }) {
  const unread = client.unread(conversationId);
  const conversation = client.entity('conversation', conversationId);
  const scopes = [client.scope(`conversation/${conversationId}`), client.scope('member/self')];
  /** @type {string | null} the first unread message */
  let from = null;
  /** @type {number | null} how many were read when something unread was found */
  let readBefore = null;
  let before = 0;
  let fresh = true;
  /** @type {any} */
  let marked = null;

  const looks = () => document.visibilityState === 'visible' && document.hasFocus();
  const isKnown = () => scopes.every((scope) => scope.get().phase === 'live');

  /** Finds the line. It stays where it is until everything was read and something new came unseen. @param {readonly any[]} rows */
  function look(rows) {
    if (!isKnown() || rows.length === 0) return from;
    const count = unread.get();
    const total = conversation.get()?.messageCount ?? 0;
    if (count > 0 && before === 0 && (fresh || !looks() || !isAtEnd())) readBefore = total - count;
    fresh = false;
    before = count;
    if (count > 0 && readBefore !== null) {
      const placed = rows.filter(({ local, status }) => !local && status !== 'streaming');
      from = placed[placed.length - (total - readBefore)]?.id ?? from;
    }
    read();
    return from;
  }

  /** Moves the mark once for each count that was seen. */
  function read() {
    const { messageCount } = conversation.get() ?? {};
    if (!looks() || !isAtEnd() || !isKnown()) return;
    if (unread.get() === 0 || marked === messageCount) return;
    marked = messageCount;
    client.markRead(conversationId);
  }

  const offs = [unread.subscribe(changed), ...scopes.map((scope) => scope.subscribe(changed))];
  window.addEventListener('focus', read);
  document.addEventListener('visibilitychange', read);
  return {
    look,
    read,
    from: () => from,
    count: () => unread.get(),
    end() {
      offs.forEach((off) => off());
      window.removeEventListener('focus', read);
      document.removeEventListener('visibilitychange', read);
    },
  };
}
