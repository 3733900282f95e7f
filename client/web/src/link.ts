import type { ClientFrame, ServerFrame } from './frames.js';

/** Why a connection, or an attempt at one, is over for now. */
export interface Disconnect {
  /** A WebSocket close code; 1006 where there was none. */
  code: number;
  reason: string;
  /** What went wrong on this side, such as a failing `token()`. */
  error?: unknown;
  /** ms until the next attempt; `undefined` while the page is put away. */
  retryIn?: number;
}

/** The relay said that coming back is of no use (a close code of 4500 to 4999, a token's end). */
export interface SessionClosed {
  code: number;
  reason: string;
}

/** A way to the relay that is restored when it breaks: a WebSocket, or another tab's. */
export interface Link {
  open(): void;
  /** Ends it without a word to the user of it. */
  close(): void;
  /** False if there is no connection now. */
  send(frame: ClientFrame): boolean;
  /** An answer is overdue: looks whether the connection lives. */
  check(): void;
}

/** Who uses a Link. */
export interface LinkUser {
  /** What the next connection, of `user` if that is known, should resume. */
  resume(user: number | undefined): { cursor?: string | undefined; rooms: readonly string[] };
  /** Frames in their order; each connection's first is `welcome`. */
  receive(frame: ServerFrame): void;
  lost(how: Disconnect): void;
  ended(how: SessionClosed): void;
  /** No connection is lost by it, but somebody should know: `token()` failed on a renewal. */
  failed(error: unknown): void;
  /** The browser's view of the network, or the page's life, changed. */
  pageChanged(): void;
}
