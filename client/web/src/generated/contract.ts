// Generated from `msab-relay --print-contract` by scripts/generate.mjs. Do not edit.

/** The contract that these types were made from: its hash. */
export const contractVersion = 'c01731ca66c0f56c';

/**
 * The user's coins, diamonds or experience changed: after a gift, a purchase, a claimed reward.
 * Only what changed needs to be there; with `user_id` alone it says "fetch your balance again".
 */
export interface BalanceUpdated {
  /** Whose balance it is; only this user gets the event. */
  user_id: number;
  /**
   * The coins owned now.
   *
   * A decimal number as text.
   */
  coins?: string;
  /**
   * The diamonds owned now.
   *
   * A decimal number as text.
   */
  diamonds?: string;
  /**
   * The experience gained by giving, in all.
   *
   * A decimal number as text.
   */
  wealth_xp?: string;
  /**
   * The experience gained by receiving, in all.
   *
   * A decimal number as text.
   */
  charm_xp?: string;
}

/** What was earned. */
export interface RewardEarnedReward {
  id: number;
  /**
   * The kind of reward, such as `coins`.
   *
   * At most 256 bytes.
   */
  type: string;
  /**
   * How much of it; text, because a reward need not be a number.
   *
   * At most 64 bytes.
   */
  amount: string;
  /**
   * What to tell the user.
   *
   * At most 2,000 bytes.
   */
  description: string;
}

/** The user earned a reward. */
export interface RewardEarned {
  /** Who earned it; only this user gets the event. */
  user_id: number;
  reward: RewardEarnedReward;
}

/** The badge. */
export interface BadgeEarnedBadge {
  id: number;
  /** At most 256 bytes. */
  name: string;
  /**
   * Where its picture is.
   *
   * At most 2,048 bytes.
   */
  image_url: string;
  category: 'wealth' | 'charm' | 'room' | 'special';
}

/** The user earned a badge. */
export interface BadgeEarned {
  /** Who earned it; only this user gets the event. */
  user_id: number;
  badge: BadgeEarnedBadge;
}

/** The income target reached. */
export interface IncomeTargetCompletedIncomeTarget {
  id: number;
  tier: number;
  /** A decimal number as text. */
  reward_coins: string;
}

/** A host reached an income target. */
export interface IncomeTargetCompleted {
  /** The host; only this user gets the event. */
  user_id: number;
  target: IncomeTargetCompletedIncomeTarget;
}

/** A room reached a new level. */
export interface RoomLevelUp {
  /** The room; everybody in it gets the event. Clients join it as `42` or as `"42"`. */
  room_id: number;
  new_level: number;
  /** A decimal number as text. */
  new_room_xp: string;
}

/** The inviting agency. */
export interface AgencyInvitationAgency {
  id: number;
  /** At most 256 bytes. */
  name: string;
  /**
   * Where its logo is; `null` if it has none.
   *
   * At most 2,048 bytes.
   */
  logo: string | null;
}

/** The member who invites. */
export interface AgencyInvitationInviter {
  id: number;
  /** At most 256 bytes. */
  name: string;
}

/** An agency invites the user. Target: the invited user. */
export interface AgencyInvitation {
  invitation_id: number;
  agency: AgencyInvitationAgency;
  invited_by: AgencyInvitationInviter;
}

/** The user who asks. */
export interface AgencyJoinRequestApplicant {
  id: number;
  /** At most 256 bytes. */
  name: string;
  /**
   * Where the picture is; `null` if there is none.
   *
   * At most 2,048 bytes.
   */
  avatar: string | null;
}

/** Somebody asks to join an agency. Target: the agency's owner. */
export interface AgencyJoinRequest {
  request_id: number;
  user: AgencyJoinRequestApplicant;
  /**
   * What the applicant wrote, if anything.
   *
   * At most 2,000 bytes.
   */
  message?: string;
}

/** A request to join was approved. Target: the user who asked. */
export interface AgencyJoinRequestApproved {
  agency_id: number;
  /** At most 256 bytes. */
  agency_name: string;
}

/** A request to join was rejected. Target: the user who asked. */
export interface AgencyJoinRequestRejected {
  agency_id: number;
  /** At most 256 bytes. */
  agency_name: string;
}

/** A member was removed from an agency. Target: that member. */
export interface AgencyMemberKicked {
  agency_id: number;
  /** At most 256 bytes. */
  agency_name: string;
  /**
   * Why, if a reason was given.
   *
   * At most 2,000 bytes.
   */
  reason?: string;
}

/** An agency was dissolved. Target: its members, all in one emit (`user_ids`). */
export interface AgencyDissolved {
  agency_id: number;
  /** At most 256 bytes. */
  agency_name: string;
}

/** A configuration changed: clients drop what they cached of it. To everyone. */
export interface ConfigInvalidate {
  /** Which part of it. */
  type: 'levels' | 'badges' | 'gifts' | 'all';
  /**
   * The version that is valid now.
   *
   * At most 64 bytes.
   */
  version?: string;
}

/** Assets changed: clients drop their copies. To everyone. */
export interface AssetInvalidate {
  /** 1 to 1,000 items. At most 256 bytes. */
  asset_ids: string[];
}

/** A gift was given in a room: clients play its animation. */
export interface GiftReceived {
  senderId: number;
  /** The room; everybody in it gets the event. */
  roomId: string;
  giftId: number;
  /**
   * Everybody who got it.
   *
   * At least 1 items.
   */
  recipientIds: number[];
  /** The one who got it, when there is one. */
  recipientId?: number;
  /** How many each got. */
  quantity: number;
  /**
   * Groups the gifts of one combo.
   *
   * At most 128 bytes.
   */
  batchId?: string;
  /**
   * The gift's transaction, as in the sender's `gift:send`.
   *
   * At most 128 bytes.
   */
  transactionId: string;
}

/** A gift was not given. Target: its sender. */
export interface GiftError {
  /** At most 128 bytes. */
  transactionId: string;
  /**
   * For the program, such as `INSUFFICIENT_BALANCE`.
   *
   * At most 64 bytes.
   */
  code: string;
  /**
   * For the user.
   *
   * At most 2,000 bytes.
   */
  reason: string;
  /** At most 128 bytes. */
  batchId?: string;
}

/** A message in a room's chat, from a participant or from the system. */
export interface ChatMessage {
  /**
   * The message's id.
   *
   * At most 128 bytes.
   */
  id: string;
  /** The room; everybody in it gets the event, the sender included. */
  roomId: string;
  userId: number;
  /** At most 256 bytes. */
  userName: string;
  /**
   * Where the sender's picture is; `null` if there is none.
   *
   * At most 2,048 bytes.
   */
  userAvatar: string | null;
  /** The frame that the sender wears around the picture. */
  userFrameId?: number;
  /** The bubble that the sender writes in. */
  userChatBubbleId?: number;
  /** At most 2,000 bytes. */
  content: string;
  /** `system` comes from the application only. */
  type: 'text' | 'emoji' | 'sticker' | 'gift' | 'system';
  /** When it was written: ms since 1970. */
  timestamp: number;
  /**
   * The id that the sending client gave, so that it knows its own message.
   *
   * At most 64 characters.
   */
  clientId?: string;
}

/** A user in a room, as the others see them. */
export interface Participant {
  id: number;
  /** At most 256 bytes. */
  name: string;
  /**
   * Where the picture is; `null` if there is none.
   *
   * At most 2,048 bytes.
   */
  avatar: string | null;
  [claim: string]: unknown;
}

/** A user entered a room, with the first of their connections. */
export interface RoomUserJoined {
  /** The room; everybody in it gets the event. */
  roomId: string;
  userId: number;
  user: Participant;
}

/** A user left a room, with the last of their connections. */
export interface RoomUserLeft {
  /** The room; everybody in it gets the event. */
  roomId: string;
  userId: number;
}

/** Somebody else speaks now. Emitted by the media server, several times a second. */
export interface SpeakerActive {
  /** The room; everybody in it gets the event. */
  roomId: string;
  /**
   * Who speaks loudest; `""` in silence.
   *
   * At most 64 bytes.
   */
  userId: string;
  /**
   * Everybody who speaks, the loudest first.
   *
   * At most 64 bytes.
   */
  activeSpeakers: string[];
  /** When it was heard: ms since 1970. */
  timestamp: number;
}

/**
 * Joins a room. Everybody else in it gets `room:userJoined` if it is the user's first connection
 * there. Joining again is harmless.
 */
export interface RoomJoinCommand {
  roomId: string | number;
}

/** A room as it was at one place of the stream: every later event of the room has a greater cursor. */
export interface RoomJoinAnswer {
  roomId: string;
  participants: Participant[];
  /** The place of this snapshot in the stream. */
  cursor: string;
}

/**
 * Leaves a room. Everybody else in it gets `room:userLeft` if it was the user's last connection
 * there.
 */
export interface RoomLeaveCommand {
  roomId: string | number;
}

/** Left. */
export type RoomLeaveAnswer = Record<string, never>;

/**
 * Writes a message into the chat of a room that the connection is in. Everybody in the room gets
 * `chat:message`, the sender included, after this command's answer.
 */
export interface ChatMessageCommand {
  roomId: string | number;
  /** At most 500 characters. */
  content: string;
  /** Default: "text". */
  type?: 'text' | 'emoji' | 'sticker' | 'gift';
  /**
   * The client's own id of the message: echoed, and sent twice it counts once.
   *
   * At most 64 characters.
   */
  clientId?: string;
}

/** Written. */
export interface ChatMessageAnswer {
  /** The message's id. */
  id: string;
}

/**
 * Gives a gift to participants of a room that the connection is in. The application decides.
 * Accepted, everybody else in the room gets `gift:received`; refused, the sender gets
 * `gift:error`.
 */
export type GiftSendCommand = {
  roomId: string | number;
  giftId: number;
  /**
   * How many each gets.
   *
   * Default: 1. 1 to 9999.
   */
  quantity?: number;
  /**
   * Groups the gifts of one combo.
   *
   * At most 128 bytes.
   */
  batchId?: string;
  /**
   * The same on a repeat, which then charges nothing. The relay makes one up where it is absent.
   *
   * At most 100 bytes.
   */
  transactionId?: string;
} & (
  | {
      /** The one who gets it. Several: `recipientIds` instead. */
      recipientId: number;
      recipientIds?: never;
    }
  | {
      recipientId?: never;
      /**
       * Everybody who gets it. A single one: `recipientId` instead.
       *
       * 1 to 30 items.
       */
      recipientIds: number[];
    }
);

/** Given. */
export interface GiftSendAnswer {
  /** At most 128 bytes. */
  transactionId: string;
  /** Those of the recipients who got it. */
  acceptedRecipientIds: number[];
}

/** Renews the session's token in place, without a reconnect. */
export interface AuthCommand {
  /** A JWT of the same user. */
  token: string;
}

/** Renewed. */
export interface AuthAnswer {
  /** When the new token ends: ms since 1970. */
  tokenExpiresAt: number;
}

/** What a connection begins with. */
export interface Welcome {
  /** For `except_connection_id`, Laravel's `toOthers`: send it as `X-Socket-ID`. */
  connectionId: string;
  userId: number;
  /** Where this connection starts: the cursor it came with if that was recovered, else the head. */
  cursor: string;
  /** Whether everything since the cursor it came with follows; `null`: it came without one. */
  recovered: boolean | null;
  /**
   * Why it was not recovered: `epoch`, the relay's history began anew; `expired`, it isn't kept
   * that long.
   */
  gap?: 'epoch' | 'expired';
  /** How many events follow before `live`. */
  missed: number;
  /** The rooms that this connection is in. */
  rooms: string[];
  /** The silence after which the relay pings: ms. */
  pingInterval: number;
  /** When the token ends: ms since 1970. */
  tokenExpiresAt: number;
}

/** What was missed has arrived: every event comes as it happens from here on. */
export interface Live {
  /** The place reached in the stream. */
  cursor: string;
}

/** A sign of life, after `pingInterval` without another frame. */
export interface Ping {
  /** The place reached in the stream. */
  cursor: string;
}

/**
 * Why a command was not carried out. `details` is what else is known: the violated fields of
 * `INVALID_PAYLOAD`, the application's `code` and `reason` of `REJECTED`.
 */
export interface Refusal {
  /** One of the error codes. */
  code: 'UNAUTHENTICATED' | 'NOT_IN_ROOM' | 'ROOM_FORBIDDEN' | 'INVALID_PAYLOAD' | 'UNKNOWN_EVENT' | 'RATE_LIMITED' | 'UPSTREAM_UNAVAILABLE' | 'REJECTED' | 'INTERNAL';
  /** For people. */
  message: string;
  /** How long to wait before a repeat: ms. */
  retryAfter?: number;
  /**
   * What else is known: violated fields, each with `field` and `description`, of INVALID_PAYLOAD;
   * the application's `code` and `reason` of REJECTED.
   */
  details?: unknown;
}

/**
 * What the relay sends: payloads by event name. Add events of your own by merging:
 *
 * `declare module '@msab/client' { interface EventMap { 'App\\Events\\Ping': {at: number} } }`
 */
export interface EventMap {
  /**
   * The user's coins, diamonds or experience changed: after a gift, a purchase, a claimed reward.
   * Only what changed needs to be there; with `user_id` alone it says "fetch your balance again".
   *
   * Audience: user, named by `user_id`. Class: LATEST.
   */
  'balance.updated': BalanceUpdated;
  /**
   * The user earned a reward.
   *
   * Audience: user, named by `user_id`. Class: DURABLE.
   */
  'reward.earned': RewardEarned;
  /**
   * The user earned a badge.
   *
   * Audience: user, named by `user_id`. Class: DURABLE.
   */
  'badge.earned': BadgeEarned;
  /**
   * A host reached an income target.
   *
   * Audience: user, named by `user_id`. Class: DURABLE.
   */
  'income_target.completed': IncomeTargetCompleted;
  /**
   * A room reached a new level.
   *
   * Audience: room, named by `room_id`. Class: DURABLE.
   */
  'room.level_up': RoomLevelUp;
  /**
   * An agency invites the user. Target: the invited user.
   *
   * Audience: user. Class: DURABLE.
   */
  'agency.invitation': AgencyInvitation;
  /**
   * Somebody asks to join an agency. Target: the agency's owner.
   *
   * Audience: user. Class: DURABLE.
   */
  'agency.join_request': AgencyJoinRequest;
  /**
   * A request to join was approved. Target: the user who asked.
   *
   * Audience: user. Class: DURABLE.
   */
  'agency.join_request_approved': AgencyJoinRequestApproved;
  /**
   * A request to join was rejected. Target: the user who asked.
   *
   * Audience: user. Class: DURABLE.
   */
  'agency.join_request_rejected': AgencyJoinRequestRejected;
  /**
   * A member was removed from an agency. Target: that member.
   *
   * Audience: user. Class: DURABLE.
   */
  'agency.member_kicked': AgencyMemberKicked;
  /**
   * An agency was dissolved. Target: its members, all in one emit (`user_ids`).
   *
   * Audience: user. Class: DURABLE.
   */
  'agency.dissolved': AgencyDissolved;
  /**
   * A configuration changed: clients drop what they cached of it. To everyone.
   *
   * Audience: everyone. Class: DURABLE.
   */
  'config:invalidate': ConfigInvalidate;
  /**
   * Assets changed: clients drop their copies. To everyone.
   *
   * Audience: everyone. Class: DURABLE.
   */
  'asset:invalidate': AssetInvalidate;
  /**
   * A gift was given in a room: clients play its animation.
   *
   * Audience: room, named by `roomId`. Class: DURABLE.
   */
  'gift:received': GiftReceived;
  /**
   * A gift was not given. Target: its sender.
   *
   * Audience: user. Class: DURABLE.
   */
  'gift:error': GiftError;
  /**
   * A message in a room's chat, from a participant or from the system.
   *
   * Audience: room, named by `roomId`. Class: DURABLE.
   */
  'chat:message': ChatMessage;
  /**
   * A user entered a room, with the first of their connections.
   *
   * Audience: room, named by `roomId`. Class: DURABLE.
   */
  'room:userJoined': RoomUserJoined;
  /**
   * A user left a room, with the last of their connections.
   *
   * Audience: room, named by `roomId`. Class: DURABLE.
   */
  'room:userLeft': RoomUserLeft;
  /**
   * Somebody else speaks now. Emitted by the media server, several times a second.
   *
   * Audience: room, named by `roomId`. Class: EPHEMERAL.
   */
  'speaker:active': SpeakerActive;
}

/** Events that no room hears: they go to users, or to everyone. */
export type NotOfRooms =
  | 'balance.updated'
  | 'reward.earned'
  | 'badge.earned'
  | 'income_target.completed'
  | 'agency.invitation'
  | 'agency.join_request'
  | 'agency.join_request_approved'
  | 'agency.join_request_rejected'
  | 'agency.member_kicked'
  | 'agency.dissolved'
  | 'config:invalidate'
  | 'asset:invalidate'
  | 'gift:error';

/** What clients may ask: data and answer by command name. */
export interface CommandMap {
  /**
   * Joins a room. Everybody else in it gets `room:userJoined` if it is the user's first connection
   * there. Joining again is harmless.
   */
  'room:join': {data: RoomJoinCommand; answer: RoomJoinAnswer};
  /**
   * Leaves a room. Everybody else in it gets `room:userLeft` if it was the user's last connection
   * there.
   */
  'room:leave': {data: RoomLeaveCommand; answer: RoomLeaveAnswer};
  /**
   * Writes a message into the chat of a room that the connection is in. Everybody in the room gets
   * `chat:message`, the sender included, after this command's answer.
   */
  'chat:message': {data: ChatMessageCommand; answer: ChatMessageAnswer};
  /**
   * Gives a gift to participants of a room that the connection is in. The application decides.
   * Accepted, everybody else in the room gets `gift:received`; refused, the sender gets
   * `gift:error`.
   */
  'gift:send': {data: GiftSendCommand; answer: GiftSendAnswer};
  /** Renews the session's token in place, without a reconnect. */
  'auth': {data: AuthCommand; answer: AuthAnswer};
}

/** What the relay says about the connection itself. */
export interface FrameMap {
  /** What a connection begins with. */
  'welcome': Welcome;
  /** What was missed has arrived: every event comes as it happens from here on. */
  'live': Live;
  /** A sign of life, after `pingInterval` without another frame. */
  'ping': Ping;
  /**
   * Why a command was not carried out. `details` is what else is known: the violated fields of
   * `INVALID_PAYLOAD`, the application's `code` and `reason` of `REJECTED`.
   */
  'error': Refusal;
}

/**
 * Why the relay refused a command:
 *
 * - `UNAUTHENTICATED`: The token is bad, or another user's; the session goes on with the one it
 * has.
 * - `NOT_IN_ROOM`: This connection is not in the room: join it first.
 * - `ROOM_FORBIDDEN`: The application doesn't let this user in.
 * - `INVALID_PAYLOAD`: Breaks the contract; `details` names every violated field.
 * - `UNKNOWN_EVENT`: There is no such command.
 * - `RATE_LIMITED`: Over a limit; nothing was done. Without `retryAfter` only less of it helps.
 * - `UPSTREAM_UNAVAILABLE`: The application didn't answer in time.
 * - `REJECTED`: The application said no; its `code` and `reason` are in `details`.
 * - `INTERNAL`: The relay, or the application, failed.
 */
export type RelayErrorCode =
  | 'UNAUTHENTICATED'
  | 'NOT_IN_ROOM'
  | 'ROOM_FORBIDDEN'
  | 'INVALID_PAYLOAD'
  | 'UNKNOWN_EVENT'
  | 'RATE_LIMITED'
  | 'UPSTREAM_UNAVAILABLE'
  | 'REJECTED'
  | 'INTERNAL';

/**
 * Slow consumer: too much waited for this connection. Afterwards: come back after a random wait,
 * longer each time.
 */
export const CLOSE_SLOW_CONSUMER = 4000;

/** The token expired, at connect or while connected. Afterwards: come back with a new token. */
export const CLOSE_TOKEN_EXPIRED = 4001;

/** No answer to pings. Afterwards: come back after a random wait, longer each time. */
export const CLOSE_NO_PONG = 4002;

/**
 * The relay is about to end. The reason tells how long to wait: `retry_after_ms=N`. Afterwards:
 * come back when told.
 */
export const CLOSE_DRAINING = 4003;

/**
 * The user has as many connections as are allowed; the new one is closed. Afterwards: come back
 * after a random wait, longer each time.
 */
export const CLOSE_TOO_MANY_CONNECTIONS = 4004;

/** No token, or one that nobody here signed. Afterwards: stay away. */
export const CLOSE_UNAUTHENTICATED = 4500;

/** The session was revoked. Afterwards: stay away. */
export const CLOSE_REVOKED = 4501;

/** The client broke the protocol. Afterwards: stay away. */
export const CLOSE_PROTOCOL_ERROR = 4502;

/** Pages of this origin may not connect. Afterwards: stay away. */
export const CLOSE_ORIGIN_NOT_ALLOWED = 4503;

/** An operator removed it. Afterwards: stay away. */
export const CLOSE_REMOVED = 4504;
