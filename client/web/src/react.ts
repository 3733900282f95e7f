'use client'; // for React's server components: what is below is for the browser's

import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';
import type { EventFrame } from './frames.js';
import type { Participant } from './generated/contract.js';
import { relayFor, retain } from './kept.js';
import type { Observable } from './observable.js';
import type { Events, Relay, RelayOptions, RelayState } from './relay.js';
import type { Room, RoomState } from './room.js';

const Context = createContext<Relay | null>(null);

/** Gives `relay` to the components below it. */
export function RelayProvider({ relay, children }: { relay: Relay; children?: ReactNode }): ReactNode {
  return createElement(Context.Provider, { value: relay }, children);
}

/** The relay of the RelayProvider above. */
export function useRelay(): Relay;
/**
 * The relay of an address, open while a component has it: one connection however many do, through
 * StrictMode's second mount and hot reload. On a server it stays closed.
 */
export function useRelay(url: string | URL, options: RelayOptions): Relay;
export function useRelay(url?: string | URL, options?: RelayOptions): Relay {
  const given = useContext(Context);
  const [own, setOwn] = useState(() => (url && options ? relayFor(url, options) : null));
  let relay = own ?? given;
  if (url && options && (!own || String(own.url) !== String(url))) {
    relay = relayFor(url, options);
    setOwn(relay);
  }
  const mine = url ? relay : null;
  useEffect(() => {
    if (mine && options) Object.assign(mine.options, options, { open: false });
  });
  useEffect(() => (mine ? retain(mine) : undefined), [mine]);
  if (!relay) throw new Error('useRelay() needs a <RelayProvider> above it, or an address');
  return relay;
}

/** `connecting`, `live`, `recovering`, `offline` or `closed`; renders again when it changes. */
export function useRelayState(relay?: Relay): RelayState {
  return useObservable(useGiven(relay).state, 'closed');
}

/** Hears an event while mounted. `listener` may be a new function at every render. */
export function useRelayEvent<E extends keyof Events & string>(
  event: E,
  listener: (data: Events[E], frame: EventFrame<Events[E]>) => unknown,
  relay?: Relay,
): void {
  const from = useGiven(relay);
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(
    () => from.on(event, (data: Events[E], frame: EventFrame<Events[E]>) => latest.current(data, frame)),
    [from, event],
  );
}

/**
 * In a room while mounted: `room` is there after the first effect. In none while `id` is `null` or
 * `undefined`, as long as it isn't known.
 */
export function useRoom(
  id: string | number | null | undefined,
  relay?: Relay,
): { room: Room | undefined; participants: readonly Participant[]; state: RoomState } {
  const from = useGiven(relay);
  const [room, setRoom] = useState<Room>();
  useEffect(() => {
    if (id === null || id === undefined) return;
    const joined = from.join(id);
    setRoom(joined);
    return () => {
      setRoom(undefined);
      joined.leave();
    };
  }, [from, id]);
  return {
    room,
    participants: useObservable(room?.roster, NOBODY),
    state: useObservable(room?.state, 'joining' as const),
  };
}

const NOBODY: readonly Participant[] = [];

function useGiven(relay: Relay | undefined): Relay {
  const given = useContext(Context);
  const from = relay ?? given;
  if (!from) throw new Error('no <RelayProvider> above, and no relay given');
  return from;
}

/** `initially` is what a server renders, and what there is without an observable. */
function useObservable<T>(observable: Observable<T> | undefined, initially: T): T {
  const subscribe = useCallback(
    (changed: () => void) => observable?.subscribe(changed) ?? (() => {}),
    [observable],
  );
  const get = () => (observable ? observable.value : initially);
  return useSyncExternalStore(subscribe, get, () => initially);
}
