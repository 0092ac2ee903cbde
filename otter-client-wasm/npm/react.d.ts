import type { ReactNode } from 'react';
import type { Client, CommandHandle, CommandState, Connection, Entity, List, ListQuery, LongText, Rows, ScopeState, Store } from './index.js';

/** Gives a client to the hooks below it. Make the client outside of React, so that it survives remounts. */
export function OtterProvider(props: { client: Client; children?: ReactNode }): ReactNode;
export function useClient(): Client;
/** Renders again when the value of a store is another one. Pass the same store on each render. */
export function useStore<T>(store: Store<T>): T;
export function useConnection(): Connection;
export function useSelf(): any;
/** Follows a scope while the component is mounted. */
export function useScope(name: string): ScopeState;
/** An entity; undefined while unknown or without an id. */
export function useEntity<T = Record<string, any>>(type: string, id: string | null | undefined): Entity<T> | undefined;
export function useList(type: string, query?: ListQuery): List;
/** Messages of a conversation with streaming and local rows; `loading` without an id. */
export function useMessages<T = Record<string, any>>(conversationId: string | null | undefined): Rows<T>;
export function useRuns<T = Record<string, any>>(conversationId: string | null | undefined): Rows<T>;
/** The text of a message, fetched whole when its row shows only the head; undefined without an id. */
export function useText(messageId: string | null | undefined): LongText | undefined;
export function useSignal<T = Record<string, any>>(kind: string, key: string | null | undefined): T | null | undefined;
/** A function that sends a command, and how far the last one sent by it is. */
export function useCommand(kind: string): [(data: object) => CommandHandle, CommandState | undefined];
