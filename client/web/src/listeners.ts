import type { EventFrame } from './frames.js';
import { report } from './observable.js';

export interface ListenOptions {
  /** Ends the subscription when it aborts. */
  signal?: AbortSignal | undefined;
  /** Ends it after the first event. */
  once?: boolean | undefined;
}

/** Ends a subscription; harmless when it has ended. */
export type Unsubscribe = () => void;

export type AnyListener = (data: any, frame: EventFrame<any>) => unknown;

/** Listeners by event name. Lists are replaced, not changed, so that a dispatch walks a fixed one. */
export class Listeners {
  private readonly lists = new Map<string, readonly AnyListener[]>();

  on(event: string, listener: AnyListener, { signal, once }: ListenOptions = {}): Unsubscribe {
    if (signal?.aborted) return () => {};
    const own: AnyListener = (data, frame) => {
      if (once) off();
      return listener(data, frame);
    };
    const off = () => {
      signal?.removeEventListener('abort', off);
      const rest = this.lists.get(event)?.filter((other) => other !== own);
      if (rest?.length) this.lists.set(event, rest);
      else this.lists.delete(event);
    };
    signal?.addEventListener('abort', off);
    this.lists.set(event, [...(this.lists.get(event) ?? []), own]);
    return off;
  }

  emit(event: string, frame: EventFrame): void {
    const list = this.lists.get(event);
    if (list === undefined) return;
    for (const listener of list) {
      try {
        listener(frame.data, frame);
      } catch (error) {
        report(error);
      }
    }
  }

  clear(): void {
    this.lists.clear();
  }
}
