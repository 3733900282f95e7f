// Events of an application's own, by declaration merging. A program of its own: merging is global.
import { connect } from '@msab/client';

declare module '@msab/client' {
  interface EventMap {
    'App\\Events\\OrderShipped': { order: number };
  }
}

const relay = connect('/ws', { token: 'jwt' });
relay.on('App\\Events\\OrderShipped', ({ order }) => order satisfies number);
relay.join(1).on('App\\Events\\OrderShipped', ({ order }) => order satisfies number);
relay.on('balance.updated', ({ user_id }) => user_id satisfies number);
// @ts-expect-error not declared
relay.on('App\\Events\\OrderLost', () => {});
