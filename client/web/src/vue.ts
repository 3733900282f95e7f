import {
  getCurrentInstance,
  hasInjectionContext,
  inject,
  onMounted,
  onScopeDispose,
  shallowReadonly,
  shallowRef,
  toValue,
  watch,
  type App,
  type InjectionKey,
  type MaybeRefOrGetter,
  type ShallowRef,
} from 'vue';
import type { EventFrame } from './frames.js';
import type { Participant } from './generated/contract.js';
import { inBrowser, relayFor, retain } from './kept.js';
import type { Observable } from './observable.js';
import type { Events, Relay, RelayOptions, RelayState } from './relay.js';
import type { Room, RoomState } from './room.js';

const KEY: InjectionKey<Relay> = Symbol.for('@msab/client/vue');

/**
 * A plugin (`app.use(relayPlugin(url, options))`; in Nuxt `nuxtApp.vueApp.use`): the relay of the
 * whole application, open from its start, closed when it is unmounted. On a server it stays closed.
 */
export function relayPlugin(url: string | URL, options: RelayOptions): { install(app: App): void };
/** The same with a relay of your own (of `share`, say), which you open and close. */
export function relayPlugin(relay: Relay): { install(app: App): void };
export function relayPlugin(given: string | URL | Relay, options?: RelayOptions) {
  return {
    install(app: App): void {
      if (!options) return void app.provide(KEY, given as Relay);
      const relay = relayFor(given as string | URL, options);
      app.provide(KEY, relay);
      const release = retain(relay);
      const unmount = app.unmount; // app.onUnmount is there from Vue 3.5 on
      app.unmount = () => {
        unmount();
        release();
      };
    },
  };
}

/** The application's relay. */
export function useRelay(): Relay;
/**
 * The relay of an address, open while a component has it: one connection however many do, and
 * through hot reload. On a server it stays closed.
 */
export function useRelay(url: string | URL, options: RelayOptions): Relay;
export function useRelay(url?: string | URL, options?: RelayOptions): Relay {
  if (url && options) {
    const relay = relayFor(url, options);
    onScopeDispose(retain(relay));
    return relay;
  }
  const relay = hasInjectionContext() ? inject(KEY, null) : null;
  if (!relay) throw new Error('useRelay(): no relayPlugin in this application, and no address given');
  return relay;
}

/** `connecting`, `live`, `recovering`, `offline` or `closed`, which it is until the component is mounted. */
export function useRelayState(relay: Relay = useRelay()): Readonly<ShallowRef<RelayState>> {
  const state = shallowRef<RelayState>('closed');
  onceMounted(() => follow(relay.state, state));
  return shallowReadonly(state);
}

/** Hears an event while the component (or scope) lives. */
export function useRelayEvent<E extends keyof Events & string>(
  event: E,
  listener: (data: Events[E], frame: EventFrame<Events[E]>) => unknown,
  relay: Relay = useRelay(),
): void {
  if (inBrowser) onScopeDispose(relay.on(event, listener));
}

/**
 * In a room while the component is mounted (or the scope lives); another one when `id` changes. `room`
 * is there from then on. In none while `id` is `null` or `undefined`, as long as it isn't known.
 */
export function useRoom(
  id: MaybeRefOrGetter<string | number | null | undefined>,
  relay: Relay = useRelay(),
): {
  room: Readonly<ShallowRef<Room | undefined>>;
  participants: Readonly<ShallowRef<readonly Participant[]>>;
  state: Readonly<ShallowRef<RoomState>>;
} {
  const room = shallowRef<Room>();
  const participants = shallowRef<readonly Participant[]>([]);
  const state = shallowRef<RoomState>('joining');
  onceMounted(() =>
    watch(
      () => toValue(id)?.toString(),
      (name, _, onCleanup) => {
        if (name === undefined) return;
        const joined = relay.join(name);
        const ends = [follow(joined.roster, participants), follow(joined.state, state)];
        room.value = joined;
        onCleanup(() => {
          for (const end of ends) end();
          joined.leave();
          room.value = undefined;
          participants.value = [];
          state.value = 'joining';
        });
      },
      { immediate: true, flush: 'sync' },
    ),
  );
  return {
    room: shallowReadonly(room),
    participants: shallowReadonly(participants),
    state: shallowReadonly(state),
  };
}

/**
 * Begins what changes a rendering once the component is mounted, so that it first agrees with what a
 * server rendered; in a scope without a component, at once. What `begin` returns ends it.
 */
function onceMounted(begin: () => () => void): void {
  if (!inBrowser) return;
  let end = () => {};
  onScopeDispose(() => end());
  if (getCurrentInstance()) onMounted(() => (end = begin()));
  else end = begin();
}

function follow<T>(observable: Observable<T>, ref: ShallowRef<T>): () => void {
  return observable.subscribe((value) => {
    ref.value = value;
  });
}
