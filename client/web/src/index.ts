import { Connection } from './connection.js';
import { Relay, type RelayOptions } from './relay.js';

/**
 * Connects to a relay (`wss://relay.example.com/ws`; http(s) and paths of this page will do), and
 * stays connected until `close()`. Opens nothing before the current task is done, so that listeners
 * added now hear everything.
 *
 * ```ts
 * const relay = connect('wss://relay.example.com/ws', { token: () => fetchToken(), cursor });
 * relay.on('balance.updated', (balance) => show(balance.coins));
 * ```
 */
export function connect(url: string | URL, options: RelayOptions): Relay {
  return new Relay(url, options, (user) => new Connection(url, options, user));
}

export type { BackoffOptions } from './backoff.js';
export type { CommandOptions } from './commands.js';
export type { CursorStorage } from './cursor.js';
export { RelayError, type ClientErrorCode } from './errors.js';
export type { EventFrame } from './frames.js';
export * from './generated/contract.js';
export type { Disconnect, SessionClosed } from './link.js';
export type { ListenOptions, Unsubscribe } from './listeners.js';
export type { Observable } from './observable.js';
export type { Events, Gap, Relay, RelayEventMap, RelayOptions, RelayState } from './relay.js';
export type { ChatOptions, Gift, Room, RoomEventName, RoomState } from './room.js';
export type { TokenRequest, TokenSource } from './token.js';
