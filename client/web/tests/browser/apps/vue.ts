import { createApp, createSSRApp, defineComponent, h, KeepAlive, ref, type App, type PropType } from 'vue';
import type { RelayOptions } from '../../../src/index.js';
import { relayPlugin, useRelayEvent, useRelayState, useRoom } from '../../../src/vue.js';

const Coins = defineComponent({
  props: { room: { type: null as unknown as PropType<string | undefined>, required: true } },
  setup(props) {
    const coins = ref<string[]>([]);
    useRelayEvent('balance.updated', (balance) => coins.value.push(balance.coins ?? ''));
    const state = useRelayState();
    const { participants } = useRoom(() => props.room);
    return () => h('p', `${state.value} [${coins.value}] ${participants.value.length}`);
  },
});

interface Props {
  url: string;
  room: string | undefined;
  options: RelayOptions;
}

export const server = ({ url, room, options }: Props): App =>
  createSSRApp(Coins, { room }).use(relayPlugin(url, options));

/** `hydrate`: takes over what a server rendered. */
export function mount(props: Props, hydrate = false): App {
  const { url, room, options } = props;
  const app = hydrate ? server(props) : createApp(Coins, { room }).use(relayPlugin(url, options));
  app.mount('#app');
  return app;
}

/** In a KeepAlive: `show(false)` puts the component away. */
export function mountKept({ url, room, options }: Props): { app: App; show(shown: boolean): void } {
  const shown = ref(true);
  const app = createApp(() => h(KeepAlive, () => (shown.value ? h(Coins, { room }) : undefined)));
  app.use(relayPlugin(url, options)).mount('#app');
  return { app, show: (value) => (shown.value = value) };
}

/** `enter` changes the room; `undefined`: to none. */
export function mountIn({ url, room, options }: Props): { enter(room: string | undefined): void } {
  const current = ref(room);
  createApp(() => h(Coins, { room: current.value }))
    .use(relayPlugin(url, options))
    .mount('#app');
  return { enter: (room) => (current.value = room) };
}
