import { RelayError, type ClientErrorCode } from './errors.js';
import type { ClientFrame, Reply } from './frames.js';

export interface CommandOptions {
  /** Time from the call to the answer, a reconnect in between included: ms. */
  timeout?: number | undefined;
  /** Gives up waiting for the answer, and rejects with its reason. */
  signal?: AbortSignal | undefined;
}

interface Pending {
  frame: ClientFrame;
  /** May be sent again: the relay knows it by an id of its own, or it changes nothing. */
  repeatable: boolean;
  sent: boolean;
  resolve(data: unknown): void;
  reject(reason: unknown): void;
}

/**
 * Commands that wait for their answer. They outlive the connection: what may be repeated is sent
 * again on the next one, in its old order.
 */
export class Commands {
  private last = 0;
  private readonly pending = new Map<number, Pending>();
  constructor(private readonly send: (frame: ClientFrame) => boolean) {}

  request(
    event: string,
    data: unknown,
    repeatable: boolean,
    { signal, timeout }: CommandOptions & { timeout: number },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const frame = { id: ++this.last, event, data };
      const abort = () => pending.reject(signal!.reason);
      const timer = setTimeout(
        () => pending.reject(new RelayError('TIMEOUT', `${event}: no answer within ${timeout} ms`)),
        Math.min(timeout, 2 ** 31 - 1), // a longer timer would fire at once
      );
      const settle = <T>(how: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          this.pending.delete(frame.id);
          how(value);
        };
      };
      const pending = { frame, repeatable, sent: false, resolve: settle(resolve), reject: settle(reject) };
      signal?.addEventListener('abort', abort);
      this.pending.set(frame.id, pending);
      pending.sent = this.send(frame);
    });
  }

  reply({ reply, ok, data, error }: Reply): void {
    const pending = this.pending.get(reply);
    if (ok) pending?.resolve(data);
    else {
      const { code, message, retryAfter, details } = error!;
      pending?.reject(new RelayError(code, message, retryAfter, details));
    }
  }

  /** There is a connection: what waits goes out. */
  flush(): void {
    for (const pending of this.pending.values()) {
      if (!pending.sent) pending.sent = this.send(pending.frame);
    }
  }

  /** The connection is gone. `tooLarge`: over the size of a message, the largest under way. */
  lost(tooLarge: boolean): void {
    const sent = [...this.pending.values()].filter((pending) => pending.sent);
    const size = ({ frame }: Pending) => JSON.stringify(frame).length;
    const culprit = tooLarge && sent.reduce((a, b) => (size(b) > size(a) ? b : a), sent[0]!);
    for (const pending of sent) {
      pending.sent = false;
      if (pending === culprit) fail(pending, 'TOO_LARGE', 'larger than the relay takes');
      else if (!pending.repeatable) fail(pending, 'CONNECTION_LOST', 'lost before its answer');
    }
  }

  close(): void {
    for (const pending of this.pending.values()) fail(pending, 'CLOSED', 'the relay is closed');
  }
}

function fail({ frame, reject }: Pending, code: ClientErrorCode, message: string): void {
  reject(new RelayError(code, `${frame.event}: ${message}`));
}
