import type { Participant, Relay, RelayState, Room } from '@msab/client';
import * as react from '@msab/client/react';
import { share } from '@msab/client/shared';
import * as vue from '@msab/client/vue';
import type { ShallowRef } from 'vue';

export function component(relay: Relay) {
  const state: RelayState = react.useRelayState();
  const { room, participants }: { room: Room | undefined; participants: readonly Participant[] } =
    react.useRoom(42);
  react.useRoom(relay.userId); // none, until it is known
  react.useRelayEvent('reward.earned', ({ reward }) => reward.amount);
  const same: Relay = react.useRelay('/ws', { token: 'jwt' });
  return [state, room, participants, same, react.RelayProvider({ relay })];
}

export function setup() {
  const state: Readonly<ShallowRef<RelayState>> = vue.useRelayState();
  const { participants } = vue.useRoom(() => 42);
  vue.useRoom(() => participants.value[0]?.id ?? null); // none, until it is known
  vue.useRelayEvent('reward.earned', ({ reward }) => reward.amount);
  // @ts-expect-error read only
  state.value = 'live';
  return [state, participants.value[0]?.name, vue.relayPlugin('/ws', { token: 'jwt' })];
}

// @ts-expect-error whose connection it is must be said
share('/ws', { token: 'jwt' });
const shared: Relay = share('/ws', { token: 'jwt', user: 42 });
export const plugin = vue.relayPlugin(shared);
// @ts-expect-error an address alone is not enough
vue.relayPlugin('/ws');
