import { createContext, createElement, useCallback, useContext, useMemo, useState, useSyncExternalStore } from 'react';

/** @typedef {import('./index.js').Client} Client */

const Context = createContext(/** @type {Client | null} */ (null));
const ABSENT = Object.freeze({ get: () => undefined, subscribe: () => () => {} });
const NOTHING = Object.freeze({ rows: Object.freeze([]), hasMore: false, loading: true, error: null, more() {} });
/** @type {import('./index.js').Store<any>} */
const NO_LIST = Object.freeze({ get: () => NOTHING, subscribe: () => () => {} });

/** @param {{ client: Client, children?: any }} props */
export function OtterProvider({ client, children }) {
  return createElement(Context.Provider, { value: client }, children);
}

/** @returns {Client} */
export function useClient() {
  const client = useContext(Context);
  if (!client) throw new Error('no Otter client: wrap the tree in <OtterProvider client={createClient()}>');
  return client;
}

/** @template T @param {import('./index.js').Store<T>} store @returns {T} */
export function useStore(store) {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

/**
 * @template T
 * @param {(client: Client) => import('./index.js').Store<T>} make
 * @param {...any} deps what `make` depends on
 * @returns {T}
 */
function useTopic(make, ...deps) {
  const client = useClient();
  return useStore(useMemo(() => make(client), [client, ...deps]));
}

export const useConnection = () => useStore(useClient().connection);

export const useSelf = () => useStore(useClient().self);

/** @param {string} name */
export function useScope(name) {
  const client = useClient();
  return useStore(useMemo(() => client.scope(name), [client, name]));
}

/** @param {string} type @param {string | null | undefined} id */
export function useEntity(type, id) {
  const client = useClient();
  return useStore(useMemo(() => (id ? client.entity(type, id) : ABSENT), [client, type, id]));
}

/** @param {string} type @param {import('./index.js').ListQuery} [query] */
export function useList(type, query) {
  const client = useClient();
  const key = JSON.stringify(query);
  return useStore(useMemo(() => client.list(type, key && JSON.parse(key)), [client, type, key]));
}

/** @param {string | null | undefined} conversationId */
export function useMessages(conversationId) {
  const client = useClient();
  return useStore(useMemo(() => (conversationId ? client.messages(conversationId) : NO_LIST), [client, conversationId]));
}

/** @param {string | null | undefined} conversationId */
export function useRuns(conversationId) {
  return useTopic((client) => (conversationId ? client.runs(conversationId) : NO_LIST), conversationId);
}

/** @param {string | null | undefined} conversationId @param {string} [runId] */
export function useSteps(conversationId, runId) {
  return useTopic((client) => (conversationId ? client.steps(conversationId, runId) : NO_LIST), conversationId, runId);
}

export const useApprovals = () => useTopic((client) => client.approvals());

export const useTasks = () => useTopic((client) => client.tasks());

/** @param {{ archived?: boolean }} [options] */
export const useFeed = ({ archived } = {}) => useTopic((client) => client.feed({ archived }), archived);

/** @param {string} [conversationId] */
export const useUnread = (conversationId) => useTopic((client) => client.unread(conversationId), conversationId);

export const useInstances = () => useTopic((client) => client.instances());

export const usePresence = () => useTopic((client) => client.presence()).rows;

/** @param {string | null | undefined} conversationId @returns {[readonly import('./index.js').Typist[], (active?: boolean) => void]} */
export function useTyping(conversationId) {
  const client = useClient();
  const { rows } = useTopic(() => (conversationId ? client.typing(conversationId) : NO_LIST), conversationId);
  return [rows, useCallback((active) => void (conversationId && client.setTyping(conversationId, active)), [client, conversationId])];
}

export const useCommands = () => useTopic((client) => client.commands());

/** @param {string | number | null | undefined} instant */
export const useTimeLeft = (instant) => useTopic((client) => client.timeLeft(instant), instant);

/** @param {string | number | null | undefined} instant */
export const useAge = (instant) => useTopic((client) => client.age(instant), instant);

/** @param {string | null | undefined} messageId */
export function useText(messageId) {
  const client = useClient();
  return useStore(useMemo(() => (messageId ? client.text(messageId) : ABSENT), [client, messageId]));
}

/** @param {string} kind @param {string | null | undefined} key */
export function useSignal(kind, key) {
  const client = useClient();
  return useStore(useMemo(() => (key ? client.signal(kind, key) : ABSENT), [client, kind, key]));
}

/** @param {import('./index.js').CommandKind} kind @returns {[(data: any) => import('./index.js').CommandHandle, import('./index.js').CommandState | undefined]} */
export function useCommand(kind) {
  const client = useClient();
  const [last, setLast] = useState(/** @type {import('./index.js').CommandHandle | null} */ (null));
  const send = useCallback(
    (/** @type {any} */ data) => {
      const handle = client.command(kind, data);
      setLast(handle);
      return handle;
    },
    [client, kind],
  );
  return [send, useStore(last ?? ABSENT)];
}
