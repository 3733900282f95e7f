/**
 * A value that tells of its changes: a store as Svelte and RxJS (`from`) know them, and what
 * React's `useSyncExternalStore` takes (`subscribe`, `get`).
 */
export interface Observable<T> {
  readonly value: T;
  get(): T;
  /** Calls `listener` at once and at every change. Returns what ends it. */
  subscribe(listener: (value: T) => void): () => void;
}

export class Value<T> implements Observable<T> {
  private readonly listeners = new Set<(value: T) => void>();
  constructor(public value: T) {}

  readonly get = (): T => this.value;

  readonly subscribe = (listener: (value: T) => void): (() => void) => {
    const own = (value: T) => listener(value); // the same function twice is two subscriptions
    this.listeners.add(own);
    guard(own, this.value);
    return () => void this.listeners.delete(own);
  };

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    // One that sets another value has told it to all: nobody is to hear the older one last.
    for (const listener of [...this.listeners]) if (this.value === value) guard(listener, value);
  }
}

/** Calls a listener; what it throws is reported as an uncaught error and stops nothing here. */
export function guard<A extends unknown[]>(listener: (...args: A) => unknown, ...args: A): void {
  try {
    listener(...args);
  } catch (error) {
    report(error);
  }
}

export function report(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError) reportError(error);
  else console.error(error);
}
