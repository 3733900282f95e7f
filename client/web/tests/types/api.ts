// What an application may write, and what it may not.
import { connect, type CommandMap, type Participant, type RelayState } from '@msab/client';
import type { Equal, Holds } from './equal.js';

const relay = connect('wss://relay.example.com/ws', { token: () => Promise.resolve('jwt'), cursor: null });

const off: () => void = relay.on('balance.updated', (balance, frame) => {
  const coins: string | undefined = balance.coins;
  const cursor: string | undefined = frame.cursor;
  void [coins, cursor];
  // @ts-expect-error there may be none
  balance.coins.length;
  // @ts-expect-error no such field
  balance.gold;
});
off();
relay.on('badge.earned', ({ badge }) => badge.category satisfies 'wealth' | 'charm' | 'room' | 'special', {
  signal: new AbortController().signal,
  once: true,
});
relay.on('gap', ({ reason, since }) => void [reason satisfies string, since]);
relay.on('session:closed', ({ code }) => code satisfies number);
// @ts-expect-error no such event
relay.on('balance.changed', () => {});

const state: RelayState = relay.state.value;
relay.state.subscribe((now) => now === 'live');
void state;

const room = relay.join(42);
relay.join('lobby');
const participants: readonly Participant[] = room.participants;
void participants[0]?.avatar;
room.on('chat:message', ({ content, clientId }) => void [content.length, clientId?.length]);
// @ts-expect-error not an event of rooms
room.on('balance.updated', () => {});
// @ts-expect-error `system` comes from the application only
void room.chat('hello', { type: 'system' });
void room.chat('😀', { type: 'emoji', clientId: 'mine', timeout: 1_000 });
void room.gift({ giftId: 1, recipientId: 2, quantity: 3 }).then((answer) => answer.acceptedRecipientIds[0]);
void room.gift({ giftId: 1, recipientIds: [2, 3] });
// @ts-expect-error one or the other
void room.gift({ giftId: 1, recipientId: 2, recipientIds: [2] });
// @ts-expect-error somebody must get it
void room.gift({ giftId: 1 });

void relay.request('room:join', { roomId: 42 }).then(({ participants }) => participants.length);
// @ts-expect-error data of another command
void relay.request('room:join', { token: '' });

export type Checks = [
  Holds<Equal<CommandMap['auth'], { data: { token: string }; answer: { tokenExpiresAt: number } }>>,
  Holds<
    Equal<
      CommandMap['chat:message'],
      {
        data: {
          roomId: string | number;
          content: string;
          type?: 'text' | 'emoji' | 'sticker' | 'gift';
          clientId?: string;
        };
        answer: { id: string };
      }
    >
  >,
];
