import type { ReactNode } from 'react';
import type { ApprovalEntity, EntityMap, FeedItemEntity, InstanceEntity, Principal, RunEntity, SignalMap, StepEntity, TaskEntity } from './types.js';
import type {
  Approvals, Client, CommandData, CommandEntry, CommandHandle, CommandKind, CommandState, Connection, Entity, Feed, InstanceFacts, List, ListQuery, LongText, Present, Rows, ScopeState, ShownEntity, ShownMessage, Store, Typist,
} from './index.js';

/** Gives a client to the hooks below it. Make the client outside of React, so that it survives remounts. */
export function OtterProvider(props: { client: Client; children?: ReactNode }): ReactNode;
export function useClient(): Client;
/** Renders again when the value of a store is another one. Pass the same store on each render. */
export function useStore<T>(store: Store<T>): T;
export function useConnection(): Connection;
export function useSelf(): Principal | null;
/** Follows a scope while the component is mounted. */
export function useScope(name: string): ScopeState;
/** An entity; undefined while unknown or without an id. */
export function useEntity<K extends keyof EntityMap>(type: K, id: string | null | undefined): Entity<ShownEntity<K>> | undefined;
export function useEntity<T = Record<string, any>>(type: string, id: string | null | undefined): Entity<T> | undefined;
export function useList(type: string, query?: ListQuery): List;
/** Messages of a conversation with streaming and local rows; `loading` without an id. */
export function useMessages<T = ShownMessage>(conversationId: string | null | undefined): Rows<T>;
export function useRuns<T = RunEntity>(conversationId: string | null | undefined): Rows<T & { readonly stopping?: boolean }>;
export function useSteps<T = StepEntity>(conversationId: string | null | undefined, runId?: string): Rows<T>;
export function useApprovals<T = ApprovalEntity>(): Approvals<T>;
export function useTasks<T = TaskEntity>(): Rows<T>;
export function useFeed<T = FeedItemEntity>(options?: { archived?: boolean }): Feed<T>;
/** Unread messages of a conversation, or of all that are not archived. */
export function useUnread(conversationId?: string): number;
export function useInstances<T = InstanceEntity>(): Rows<T & InstanceFacts>;
export function usePresence(): readonly Present[];
/** Who writes in a conversation, and a function to call on every keystroke. */
export function useTyping(conversationId: string | null | undefined): [readonly Typist[], (active?: boolean) => void];
/** The commands that are not through. */
export function useCommands(): readonly CommandEntry[];
/** Ms until an instant; renders each second. */
export function useTimeLeft(instant: string | number | null | undefined): number | null;
/** Ms since an instant; renders each second, after a minute each minute. */
export function useAge(instant: string | number | null | undefined): number | null;
/** The text of a message, fetched whole when its row shows only the head; undefined without an id. */
export function useText(messageId: string | null | undefined): LongText | undefined;
export function useSignal<K extends keyof SignalMap>(kind: K, key: string | null | undefined): SignalMap[K] | null | undefined;
export function useSignal<T = Record<string, any>>(kind: string, key: string | null | undefined): T | null | undefined;
/** A function that sends a command, and how far the last one sent by it is. */
export function useCommand<K extends CommandKind>(kind: K): [(data: CommandData<K>) => CommandHandle, CommandState | undefined];
