import { createContext, createElement, useCallback, useContext, useMemo, useState, useSyncExternalStore } from 'react';

/** @typedef {import('./index.js').Client} Client */

const Context = createContext(/** @type {Client | null} */ (null));
const ABSENT = Object.freeze({ get: () => undefined, subscribe: () => () => {} });
const NOTHING = Object.freeze({ rows: Object.freeze([]), ids: Object.freeze([]), hasMore: false, loading: true, error: null, more() {} });
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
  const client = useClient();
  return useStore(useMemo(() => (conversationId ? client.runs(conversationId) : NO_LIST), [client, conversationId]));
}

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

/** @param {string} kind @returns {[(data: object) => import('./index.js').CommandHandle, import('./index.js').CommandState | undefined]} */
export function useCommand(kind) {
  const client = useClient();
  const [last, setLast] = useState(/** @type {import('./index.js').CommandHandle | null} */ (null));
  const send = useCallback(
    (/** @type {object} */ data) => {
      const handle = client.command(kind, data);
      setLast(handle);
      return handle;
    },
    [client, kind],
  );
  return [send, useStore(last ?? ABSENT)];
}
