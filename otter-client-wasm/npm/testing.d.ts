import type { CoreConstructor, Drain, ToCore } from './boundary.js';

export interface FakeCore {
  /** For `createClient({core})`. */
  Core: CoreConstructor;
  /** Every message the client posted, of all instances. */
  posted: ToCore[];
  instances: { options: unknown; socket: unknown; freed: boolean }[];
  /** Changes that the next drain hands over. */
  push(changes: Drain): void;
  /** The core dies, as after a panic. */
  panic(text: string): void;
}

/** A stand-in for the WebAssembly core that plays what a test gives it. */
export function createFakeCore(options?: { onPost?: (message: ToCore) => void }): FakeCore;
