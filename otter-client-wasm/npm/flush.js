import { isHidden } from './page.js';
import { unref } from './timer.js';

const HIDDEN_NOTIFY_MS = 1000;
const FRAME_TIMEOUT_MS = 250;

/**
 * Hands changes over once per animation frame: state first, then listeners, then event callbacks.
 *
 * @param {{ take: () => any[], apply: (changes: any) => void, isDirty: () => boolean, emit: () => void, deliver: () => void }} of
 * `take` gives the `Drain`s that wait, `apply` takes one, `emit` runs the listeners of what changed, which `isDirty` tells,
 * `deliver` the event callbacks
 */
export function createFlush({ take, apply, isDirty, emit: notify, deliver }) {
  let draining = false;
  let stopped = false;
  let lastEmit = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let emitTimer;
  /** @type {(() => void) | null} cancels the scheduled drain */
  let scheduled = null;

  function schedule() {
    if (scheduled || stopped) return;
    const frame = globalThis.requestAnimationFrame;
    if (!frame || isHidden()) {
      let live = true;
      scheduled = () => (live = false);
      queueMicrotask(() => live && drain());
      return;
    }
    const id = frame(drain);
    // Frames stop without notice in covered windows and frames that are not drawn.
    const timer = setTimeout(drain, FRAME_TIMEOUT_MS);
    scheduled = () => {
      globalThis.cancelAnimationFrame(id);
      clearTimeout(timer);
    };
  }

  /** Hands over what waits. Safe to call from a listener. */
  function drain() {
    if (draining) return schedule();
    scheduled?.();
    scheduled = null;
    const waiting = take();
    // A change of the package's own, such as a command that is dismissed, is news too.
    if (waiting.length === 0) return isDirty() ? emit() : undefined;
    draining = true;
    try {
      waiting.forEach(apply);
      emit();
      deliver();
    } finally {
      draining = false;
    }
  }

  /** A hidden page hears of state at most once a second; it sees all of it when it is shown. */
  function emit() {
    clearTimeout(emitTimer);
    const wait = isHidden() ? lastEmit + HIDDEN_NOTIFY_MS - Date.now() : 0;
    if (wait > 0) {
      emitTimer = unref(setTimeout(emit, wait));
      return;
    }
    lastEmit = Date.now();
    notify();
  }

  return {
    schedule,
    drain,
    /** The page was shown or hidden. */
    shown() {
      drain();
      emit();
    },
    stop() {
      stopped = true;
      scheduled?.();
      scheduled = null;
      clearTimeout(emitTimer);
    },
  };
}
