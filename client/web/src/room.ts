import type { CommandOptions } from './commands.js';
import { RelayError } from './errors.js';
import type { EventFrame } from './frames.js';
import type {
  ChatMessageAnswer,
  ChatMessageCommand,
  EventMap,
  GiftSendAnswer,
  GiftSendCommand,
  NotOfRooms,
  Participant,
  RoomJoinAnswer,
  RoomUserJoined,
  RoomUserLeft,
} from './generated/contract.js';
import { Listeners, type ListenOptions, type Unsubscribe } from './listeners.js';
import { Value, type Observable } from './observable.js';
import type { Relay } from './relay.js';
import { uniqueId } from './unique_id.js';

/** Events that a room may hear: the contract's, and all that were added to `EventMap`. */
export type RoomEventName = Exclude<keyof EventMap, NotOfRooms> & string;

/** `refused`: the relay or the application doesn't let this user in; `room.error` says why. */
export type RoomState = 'joining' | 'joined' | 'refused' | 'left';

export type ChatOptions = Omit<ChatMessageCommand, 'roomId' | 'content'> & CommandOptions;

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** `gift:send` without its room. */
export type Gift = Without<GiftSendCommand, 'roomId'>;

/** One membership, shared by all who joined the room on this relay. */
export class Membership {
  readonly state = new Value<RoomState>('joining');
  readonly participants = new Value<readonly Participant[]>([]);
  readonly rooms = new Set<Room>();
  error: RelayError | undefined;
  ready!: Promise<void>;
  /** A snapshot was taken and followed since: a resume goes on from there. */
  settled = false;
  retry: ReturnType<typeof setTimeout> | undefined;
  private resolve!: () => void;
  private reject!: (error: RelayError) => void;
  private over = false; // `ready` was rejected

  constructor(readonly id: string) {
    this.renew();
  }

  /** A new snapshot is on its way. */
  joining(): void {
    if (this.over) this.renew();
    this.settled = false;
    this.error = undefined;
    this.state.set('joining');
  }

  joined({ participants }: RoomJoinAnswer): void {
    this.settled = true;
    this.participants.set(participants);
    this.state.set('joined');
    this.resolve();
  }

  refused(error: RelayError): void {
    this.settled = false;
    this.error = error;
    this.participants.set([]);
    this.state.set('refused');
    this.fail(error);
  }

  left(): void {
    clearTimeout(this.retry);
    this.settled = false;
    this.state.set('left');
    this.fail(new RelayError('CLOSED', `room ${this.id} was left`));
  }

  /** The relay is closed: a snapshot under way won't come. */
  closed(): void {
    clearTimeout(this.retry);
    if (this.state.value === 'joining') this.fail(new RelayError('CLOSED', 'the relay is closed'));
  }

  receive(frame: EventFrame): void {
    if (frame.event === 'room:userJoined') {
      const { user } = frame.data as RoomUserJoined;
      this.without(user.id, user);
    } else if (frame.event === 'room:userLeft') {
      this.without((frame.data as RoomUserLeft).userId);
    }
    for (const room of this.rooms) room.receive(frame);
  }

  private without(id: number, ...instead: Participant[]): void {
    if (!this.settled) return; // the snapshot under way knows
    this.participants.set([...this.participants.value.filter((user) => user.id !== id), ...instead]);
  }

  private fail(error: RelayError): void {
    this.over = true;
    this.reject(error);
  }

  private renew(): void {
    this.over = false;
    this.ready = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.ready.catch(() => {}); // who doesn't wait for it is told by `state`
  }
}

/**
 * A room that was joined. It stays so across reconnects, until `leave()`. Several handles of one room
 * share the membership: the last that leaves, leaves it.
 */
export class Room {
  private readonly listeners = new Listeners();
  private open = true;

  /** Made by `relay.join`. */
  constructor(
    private readonly relay: Relay,
    private readonly membership: Membership,
    private readonly release: (room: Room) => void,
  ) {}

  get id(): string {
    return this.membership.id;
  }
  /** Resolves once in the room, `participants` known. Rejects when refused, with a RelayError. */
  get ready(): Promise<void> {
    return this.membership.ready;
  }
  get state(): Observable<RoomState> {
    return this.membership.state;
  }
  /** Why the room was refused. */
  get error(): RelayError | undefined {
    return this.membership.error;
  }
  /** Who is in the room now, this user included. A new array at every change. */
  get participants(): readonly Participant[] {
    return this.membership.participants.value;
  }
  /** `participants`, and its changes. */
  get roster(): Observable<readonly Participant[]> {
    return this.membership.participants;
  }

  /** Hears an event of this room, until unsubscribed, aborted, or the room is left. */
  on<E extends RoomEventName>(
    event: E,
    listener: (data: EventMap[E], frame: EventFrame<EventMap[E]>) => unknown,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.open ? this.listeners.on(event, listener, options) : () => {};
  }

  /**
   * Writes to the room's chat, once, whatever happens to the connection meanwhile: repeats carry the
   * same `clientId` (made up here unless given), and the relay knows it for 10 minutes.
   * Rejects with a RelayError.
   */
  async chat(content: string, options: ChatOptions = {}): Promise<ChatMessageAnswer & { clientId: string }> {
    const { type, clientId = uniqueId(), ...rest } = options;
    const data = { roomId: this.id, content, clientId, ...(type && { type }) };
    const answer = await this.relay.request('chat:message', data, rest);
    return { ...answer, clientId };
  }

  /**
   * Gives a gift; the application decides. Repeats, those after a reconnect included, carry the same
   * `transactionId` (made up here unless given) and charge once.
   * Rejects with a RelayError; its `details.transactionId` is the one to try again with after
   * `TIMEOUT` or `UPSTREAM_UNAVAILABLE`, when the outcome is unknown.
   */
  async gift(gift: Gift, options: CommandOptions = {}): Promise<GiftSendAnswer> {
    const { transactionId = uniqueId() } = gift;
    try {
      const data = { roomId: this.id, ...gift, transactionId } as GiftSendCommand;
      return await this.relay.request('gift:send', data, options);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      const details = Array.isArray(error.details) ? { violations: error.details } : error.details;
      throw new RelayError(error.code, error.message, error.retryAfter, {
        transactionId,
        ...(details as object | undefined),
      });
    }
  }

  /** Ends this handle and its subscriptions. */
  leave(): void {
    if (!this.open) return;
    this.open = false;
    this.listeners.clear();
    this.release(this);
  }

  /** Called by its membership. */
  receive(frame: EventFrame): void {
    this.listeners.emit(frame.event, frame);
  }
}
