// An application under StrictMode, as hot reload finds it: evaluated and mounted again.
import { createElement as h, StrictMode, useState } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import type { RelayOptions } from '../../../src/index.js';
import { RelayProvider, useRelay, useRelayEvent, useRelayState, useRoom } from '../../../src/react.js';

function Coins({ room }: { room: string | undefined }) {
  const [coins, setCoins] = useState<string[]>([]);
  useRelayEvent('balance.updated', (balance) => setCoins([...coins, balance.coins ?? '']));
  const state = useRelayState();
  const { participants } = useRoom(room);
  return h('p', null, `${state} [${coins}] ${participants.length}`);
}

interface Props {
  url: string;
  room: string | undefined;
  options: RelayOptions;
}

function App({ url, room, options }: Props) {
  const relay = useRelay(url, options);
  return h(RelayProvider, { relay }, h(Coins, { room }));
}

export const server = (props: Props) => h(StrictMode, null, h(App, props));

/** `hydrate`: takes over what a server rendered. */
export function mount(props: Props, hydrate = false): Root {
  const place = document.getElementById('app')!;
  if (hydrate) return hydrateRoot(place, server(props));
  const root = createRoot(place);
  root.render(server(props));
  return root;
}

/** `enter` changes the room; `undefined`: to none. */
export function mountIn(props: Props): { enter(room: string | undefined): void } {
  const root = mount(props);
  return { enter: (room) => root.render(server({ ...props, room })) };
}
