import { CursorKeeper, isAfter, type CursorStorage } from './cursor.js';
import { Commands, type CommandOptions } from './commands.js';
import type { ConnectionOptions } from './connection.js';
import { RelayError } from './errors.js';
import type { EventFrame, Mark, ServerFrame } from './frames.js';
import type { CommandMap, EventMap, RoomJoinAnswer, Welcome } from './generated/contract.js';
import type { Disconnect, Link, LinkUser, SessionClosed } from './link.js';
import { Listeners, type ListenOptions, type Unsubscribe } from './listeners.js';
import { Value, type Observable } from './observable.js';
import { isOffline } from './page.js';
import { Membership, Room } from './room.js';

/**
 * - `connecting`: on the way to its first live connection.
 * - `live`: every event arrives as it happens.
 * - `recovering`: the connection was lost and is being restored, or what was missed is arriving.
 * - `offline`: there is no connection, and the browser says there is no network; or the page is put
 *   away. It comes back by itself.
 * - `closed`: not opened, closed, or refused by the relay (`session:closed` said why).
 */
export type RelayState = 'connecting' | 'live' | 'recovering' | 'offline' | 'closed';

/** Events were lost, or may have been: fetch your state again. Rooms do so by themselves. */
export interface Gap {
  /**
   * `epoch`: the relay's history began anew. `expired`: away for longer than it is kept. `room`: only
   * `room` is affected, which the relay didn't resume. `user`: the token names another user now.
   */
  reason: 'epoch' | 'expired' | 'room' | 'user';
  room?: string;
  /** The place up to which nothing is missing. */
  since: string | undefined;
  /** The place from which on nothing is. A snapshot of your state belongs after it. */
  cursor: string;
}

/** What the client itself tells. The names are reserved: no event of an application has them. */
export interface RelayEventMap {
  /** Once for each gap, before any later event. */
  gap: Gap;
  /** A connection stands; `live` in `state` follows when what was missed has arrived. */
  welcome: Welcome;
  /** A connection, or an attempt, failed. */
  disconnect: Disconnect;
  /** `token()` failed where a new token was to be had; it is tried again. */
  connect_error: unknown;
  /** The relay doesn't want this client back: `state` is `closed`. */
  'session:closed': SessionClosed;
}

export type Events = EventMap & RelayEventMap;

export interface RelayOptions extends ConnectionOptions {
  /** Where the state that the application has was taken: `GetCursor`, read before the state was. */
  cursor?: string | null | undefined;
  /** Rooms to be in from the first moment on, resumed from `cursor`; see `join`. */
  rooms?: readonly (string | number)[] | undefined;
  /**
   * Keeps the cursor across reloads of this tab, bound to the user: `true` for `sessionStorage`, or a
   * storage. `cursor` wins over a kept one.
   */
  persist?: boolean | CursorStorage | undefined;
  /** Time limit of commands: ms. Default 10,000. */
  timeout?: number | undefined;
  /** `false`: stay closed until `open()`. Give it where this code may be rendered on a server. */
  open?: boolean | undefined;
}

/** A client of the relay: one user's events, and the rooms that were joined. */
export class Relay {
  private readonly status = new Value<RelayState>('closed');
  private readonly listeners = new Listeners();
  private readonly anyListeners = new Listeners();
  private readonly memberships = new Map<string, Membership>();
  private readonly commands: Commands;
  private readonly link: Link;
  private readonly keeper: CursorKeeper | undefined;
  private hello: Welcome | undefined;
  private place: string | undefined;
  private up = false;
  private hidden = false;
  private wasLive = false;

  /** Use `connect`. */
  constructor(
    readonly url: string | URL,
    /** May be changed (`token`, say): what comes next uses it. */
    readonly options: RelayOptions,
    makeLink: (user: LinkUser) => Link,
  ) {
    this.place = options.cursor ?? undefined;
    this.commands = new Commands((frame) => this.up && this.link.send(frame));
    const storage = options.persist === true ? sessionStorageIfAny() : options.persist;
    if (storage) {
      this.keeper = new CursorKeeper(storage, `msab:cursor:${url}`, () =>
        this.hello && this.place ? { user: this.hello.userId, cursor: this.place } : undefined,
      );
    }
    this.link = makeLink({
      resume: (user) => this.resume(user),
      receive: (frame) => this.receive(frame),
      lost: (how) => this.lost(how),
      ended: (how) => {
        this.stop();
        this.tell('session:closed', how);
      },
      failed: (error) => this.tell('connect_error', error),
      pageChanged: () => {
        if (!this.up && this.status.value !== 'closed') this.away();
      },
    });
    for (const room of options.rooms ?? []) this.join(room);
    if (options.open ?? true) this.open();
  }

  /** `connecting`, `live`, `recovering`, `offline` or `closed`, and its changes. */
  get state(): Observable<RelayState> {
    return this.status;
  }
  /** The place reached in the stream: all that came before it was heard. */
  get cursor(): string | undefined {
    return this.place;
  }
  /** The user of the token, once connected. */
  get userId(): number | undefined {
    return this.hello?.userId;
  }
  /** This connection's id, for `X-Socket-ID`; `undefined` while there is none. */
  get connectionId(): string | undefined {
    return this.up ? this.hello?.connectionId : undefined;
  }

  /**
   * Hears an event until unsubscribed (by what is returned) or aborted. Each event is heard once, in
   * the relay's order, those of all joined rooms included.
   */
  on<E extends keyof Events & string>(
    event: E,
    listener: (data: Events[E], frame: EventFrame<Events[E]>) => unknown,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.listeners.on(event, listener, options);
  }

  /** Hears every event of the relay, whatever its name. */
  onAny(listener: (frame: EventFrame) => unknown, options?: ListenOptions): Unsubscribe {
    return this.anyListeners.on('', (_, frame) => listener(frame), options);
  }

  /**
   * Joins a room, now or as soon as there is a connection, and stays in it across reconnects until
   * `leave()`. `42` and `"42"` are one room; joining twice is two handles of one membership.
   */
  join(id: string | number): Room {
    const name = String(id);
    let membership = this.memberships.get(name);
    if (!membership) {
      this.memberships.set(name, (membership = new Membership(name)));
      this.enter(membership);
    }
    const room = new Room(this, membership, (left) => this.release(membership, left));
    membership.rooms.add(room);
    return room;
  }

  /**
   * Sends a command and waits for its answer, through reconnects if it may be repeated. Rejects with a
   * RelayError, or with the signal's reason. Rooms have `chat` and `gift`, which say more.
   */
  request<C extends keyof CommandMap>(
    command: C,
    data: CommandMap[C]['data'],
    options: CommandOptions = {},
  ): Promise<CommandMap[C]['answer']> {
    if (this.status.value === 'closed') {
      return Promise.reject(new RelayError('CLOSED', `${command}: the relay is closed`));
    }
    // A chat or a gift without an id of its own may have been done when its answer was lost.
    const { clientId, transactionId } = data as { clientId?: string; transactionId?: string };
    const once = command === 'chat:message' ? clientId : command === 'gift:send' ? transactionId : 'same';
    const { timeout = this.options.timeout ?? 10_000, signal } = options;
    const answer = this.commands.request(command, data, !!once, { timeout, signal });
    answer.catch((error: Partial<RelayError> | null) => {
      if (error?.code === 'TIMEOUT' && this.up) this.link.check();
    });
    return answer as Promise<CommandMap[C]['answer']>;
  }

  /** Connects, if closed. Goes on where it was. */
  open(): void {
    if (this.status.value !== 'closed') return;
    this.wasLive = this.hidden = false;
    for (const membership of this.memberships.values()) if (!membership.settled) membership.joining();
    this.away();
    this.link.open();
    // Where there are no WebSockets it stays what it is; on a server nobody waits for it.
  }

  /** Disconnects and stays so until `open()`. Commands under way are rejected. */
  close(): void {
    this.link.close();
    this.stop();
  }

  private stop(): void {
    this.up = false;
    this.commands.lost(false);
    this.commands.close();
    for (const membership of this.memberships.values()) membership.closed();
    this.keeper?.flush();
    this.status.set('closed'); // last: who hears of it may open it again
  }

  private resume(user: number | undefined): { cursor: string | undefined; rooms: string[] } {
    const known = this.hello?.userId;
    const other = known !== undefined && user !== undefined && user !== known;
    const cursor = other ? undefined : (this.place ?? this.keeper?.load(user));
    // At first the application's state is as old as the cursor, and so are its rooms. Later, a room
    // that was never entered has no past here: it is joined once connected.
    const rooms = [...this.memberships.values()]
      .filter((membership) => membership.settled || !this.hello)
      .map((membership) => membership.id);
    return { cursor, rooms };
  }

  private receive(frame: ServerFrame): void {
    if ('reply' in frame) return this.commands.reply(frame);
    if (!('data' in frame)) return this.mark(frame);
    if (frame.event === 'welcome') return this.welcome(frame.data as Welcome);
    const { cursor } = frame as EventFrame;
    if (cursor !== undefined) {
      if (!isAfter(cursor, this.place!)) return; // heard before
      this.reached(cursor);
    }
    this.deliver(frame as EventFrame);
  }

  private deliver(frame: EventFrame): void {
    if (frame.room !== undefined) this.memberships.get(frame.room)?.receive(frame);
    this.listeners.emit(frame.event, frame);
    this.anyListeners.emit('', frame);
  }

  private mark({ event, cursor }: Mark): void {
    // With several tabs, the one connection may be behind this tab for a while.
    if (isAfter(cursor, this.place!)) this.reached(cursor);
    if (event === 'live') {
      this.wasLive = true;
      this.status.set('live');
    }
  }

  private reached(cursor: string): void {
    this.place = cursor;
    this.keeper?.touch();
  }

  private welcome(welcome: Welcome): void {
    const before = this.hello;
    const since = this.place;
    this.hello = welcome;
    this.up = true;
    this.hidden = false;
    // What is resumed goes on from where this client is, whatever it had asked for.
    this.reached((welcome.recovered && this.place) || welcome.cursor);
    if (welcome.missed > 0) this.status.set('recovering');
    const { gap, cursor } = welcome;
    if (before && before.userId !== welcome.userId) {
      this.tell('gap', { reason: 'user', since: undefined, cursor });
    } else if (welcome.recovered === false) {
      this.tell('gap', { reason: gap ?? 'expired', since, cursor });
    }
    if (!this.up) return; // closed by who was told of the gap
    this.enterRooms(welcome, since);
    this.commands.flush();
    this.tell('welcome', welcome);
  }

  private enterRooms({ rooms, recovered, cursor }: Welcome, since: string | undefined): void {
    for (const membership of this.memberships.values()) {
      const resumed = rooms.includes(membership.id);
      if (membership.settled && resumed && recovered) continue; // its past is about to arrive
      const missing = membership.settled && recovered;
      this.enter(membership);
      if (missing) this.tell('gap', { reason: 'room', room: membership.id, since, cursor });
    }
    for (const room of rooms) if (!this.memberships.has(room)) this.sendLeave(room);
  }

  private lost(how: Disconnect): void {
    this.up = false;
    this.hidden = how.retryIn === undefined;
    this.away();
    this.commands.lost(how.code === 1009);
    if (this.hidden) this.keeper?.flush();
    this.tell('disconnect', how);
  }

  /** No connection, for now. */
  private away(): void {
    const offline = this.hidden || isOffline();
    this.status.set(offline ? 'offline' : this.wasLive ? 'recovering' : 'connecting');
  }

  private enter(membership: Membership): void {
    clearTimeout(membership.retry);
    membership.joining();
    if (!this.up) return;
    const current = this.hello;
    const { id } = membership;
    // Not repeated on another connection: its welcome decides what is to be done there.
    this.commands.request('room:join', { roomId: id }, false, { timeout: 60_000 }).then(
      (answer) => {
        if (this.memberships.get(id) === membership) membership.joined(answer as RoomJoinAnswer);
      },
      (error: RelayError) => {
        if (this.memberships.get(id) !== membership || this.hello !== current || !this.up) return;
        const passing = ['RATE_LIMITED', 'UPSTREAM_UNAVAILABLE', 'INTERNAL', 'TIMEOUT'];
        if (passing.includes(error.code) && (error.code !== 'RATE_LIMITED' || error.retryAfter)) {
          const wait = (error.retryAfter ?? 2_000) * (1 + Math.random());
          membership.retry = setTimeout(() => this.enter(membership), wait);
        } else {
          membership.refused(error);
        }
      },
    );
  }

  private release(membership: Membership, room: Room): void {
    membership.rooms.delete(room);
    // Later, so that a component that is only replaced doesn't leave and come back before everyone.
    setTimeout(() => {
      if (membership.rooms.size || this.memberships.get(membership.id) !== membership) return;
      this.memberships.delete(membership.id);
      if (membership.state.value !== 'refused') this.sendLeave(membership.id);
      membership.left();
    });
  }

  private sendLeave(roomId: string): void {
    if (this.up) this.commands.request('room:leave', { roomId }, false, { timeout: 60_000 }).catch(() => {});
  }

  private tell<E extends keyof RelayEventMap>(event: E, data: RelayEventMap[E]): void {
    this.listeners.emit(event, { event, data });
  }
}

function sessionStorageIfAny(): CursorStorage | undefined {
  try {
    return globalThis.sessionStorage;
  } catch {
    return undefined; // forbidden in this frame
  }
}
