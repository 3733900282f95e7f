// The native dialect's frames, as the relay writes them (the README of the tree tells them, too).

/** What a connection begins with. */
export interface Welcome {
  /** For `except_connection_id`, Laravel's `toOthers`: send it as `X-Socket-ID`. */
  connectionId: string;
  userId: number;
  /** Where this connection starts: the cursor it came with if that was recovered, else the head. */
  cursor: string;
  /** `null`: it came without a cursor. */
  recovered: boolean | null;
  gap?: 'epoch' | 'expired';
  /** How many events follow before it is live. */
  missed: number;
  /** The rooms that this connection is in. */
  rooms: string[];
  /** ms of silence after which the relay pings. */
  pingInterval: number;
  /** ms since 1970. */
  tokenExpiresAt: number;
}

/** An event as it came, beside its payload. */
export interface EventFrame<T = unknown> {
  event: string;
  data: T;
  /** Its place in the stream; ephemeral events have none. */
  cursor?: string;
  /** The room it went to. */
  room?: string;
  /** When it happened, if its emitter said so: ms since 1970. */
  occurredAt?: number;
}

export interface Reply {
  reply: number;
  ok: boolean;
  data?: unknown;
  error?: { code: string; message: string; retryAfter?: number; details?: unknown };
}

/** `live`: what was missed has arrived. `ping`: a sign of life. Both carry the place reached. */
export interface Mark {
  event: 'live' | 'ping';
  cursor: string;
}

export type ServerFrame = EventFrame | Reply | Mark | { event: 'welcome'; data: Welcome };

export interface ClientFrame {
  id: number;
  event: string;
  data?: unknown;
}
