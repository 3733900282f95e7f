import type { RelayErrorCode } from './generated/contract.js';

/**
 * Why a command failed on this side:
 *
 * - `TIMEOUT`: no answer in time; what became of it is unknown.
 * - `CONNECTION_LOST`: the connection went while it was under way, and a repeat might double it.
 * - `TOO_LARGE`: the relay closed the connection over its size.
 * - `CLOSED`: the relay is closed, or was while it waited.
 */
export type ClientErrorCode = 'TIMEOUT' | 'CONNECTION_LOST' | 'TOO_LARGE' | 'CLOSED';

/** A command that wasn't carried out, or may not have been (`TIMEOUT`, `UPSTREAM_UNAVAILABLE`). */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  constructor(
    readonly code: RelayErrorCode | ClientErrorCode,
    message: string,
    /** How long to wait before a repeat, where the relay says: ms. */
    readonly retryAfter?: number,
    /**
     * What else is known: violated fields of `INVALID_PAYLOAD`, the application's `{code, reason}` of
     * `REJECTED`, the `transactionId` to repeat a gift with.
     */
    readonly details?: unknown,
  ) {
    super(message);
  }
}
