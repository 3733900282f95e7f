// The native dialect's frames, as the relay writes them, around what the contract declares.
import type { Live, Ping, Refusal, Welcome } from './generated/contract.js';

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
  error?: Refusal;
}

/** Both carry the place reached. */
export type Mark = { event: 'live' | 'ping' } & (Live | Ping);

export type ServerFrame = EventFrame | Reply | Mark | { event: 'welcome'; data: Welcome };

export interface ClientFrame {
  id: number;
  event: string;
  data?: unknown;
}
