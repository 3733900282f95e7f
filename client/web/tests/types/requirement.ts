// The payloads as the requirement has them, by hand. EventMap must have exactly these: not looser,
// not stricter, nothing more.
import type { EventMap } from '@msab/client';
import type { Equal, Holds } from './equal.js';

interface Requirement {
  'balance.updated': {
    user_id: number;
    coins?: string;
    diamonds?: string;
    wealth_xp?: string;
    charm_xp?: string;
  };
  'reward.earned': {
    user_id: number;
    reward: {
      id: number;
      type: string;
      amount: string;
      description: string;
    };
  };
  'badge.earned': {
    user_id: number;
    badge: {
      id: number;
      name: string;
      image_url: string;
      category: 'wealth' | 'charm' | 'room' | 'special';
    };
  };
  'income_target.completed': {
    user_id: number;
    target: {
      id: number;
      tier: number;
      reward_coins: string;
    };
  };
  'room.level_up': {
    room_id: number;
    new_level: number;
    new_room_xp: string;
  };
  'agency.invitation': {
    invitation_id: number;
    agency: {
      id: number;
      name: string;
      logo: string | null;
    };
    invited_by: {
      id: number;
      name: string;
    };
  };
  'agency.join_request': {
    request_id: number;
    user: {
      id: number;
      name: string;
      avatar: string | null;
    };
    message?: string;
  };
  'agency.join_request_approved': {
    agency_id: number;
    agency_name: string;
  };
  'agency.join_request_rejected': {
    agency_id: number;
    agency_name: string;
  };
  'agency.member_kicked': {
    agency_id: number;
    agency_name: string;
    reason?: string;
  };
  'agency.dissolved': {
    agency_id: number;
    agency_name: string;
  };
  'config:invalidate': {
    type: 'levels' | 'badges' | 'gifts' | 'all';
    version?: string;
  };
  'asset:invalidate': {
    asset_ids: string[];
  };
}

// The older events, which the requirement only names.
type Older =
  'gift:received' | 'gift:error' | 'chat:message' | 'room:userJoined' | 'room:userLeft' | 'speaker:active';

/** Events whose payload differs: none, or the compiler names them. */
type Different = {
  [E in keyof Requirement]: Equal<EventMap[E], Requirement[E]> extends true ? never : E;
}[keyof Requirement];
type None<E extends never> = E;

export type Checks = [None<Different>, Holds<Equal<keyof EventMap, keyof Requirement | Older>>];
