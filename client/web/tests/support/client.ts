import { afterAll, afterEach, beforeAll } from 'vitest';
import { connect, type Relay, type RelayOptions } from '../../src/index.js';
import { Proxy } from './proxy.js';
import { RelayProcess, token } from './relay.js';
import { until } from './wait.js';

/** `direct`: past the proxy. */
export type ClientOptions = Partial<RelayOptions> & { direct?: boolean };

export interface Stage {
  relay: RelayProcess;
  proxy: Proxy;
  /** A client through the proxy, of a user that no other test has; closed after the test. */
  client(options?: ClientOptions, user?: number): Relay & { user: number };
}

let nextUser = 1000;
export const newUser = (): number => nextUser++;

/** For one test file: a relay, a proxy before it, and clients. */
export function stage(settings: Record<string, string> = {}): Stage {
  const clients: Relay[] = [];
  const stage = {
    client({ direct, ...options }: ClientOptions = {}, user = newUser()) {
      const relay = connect(direct ? stage.relay.url : stage.proxy.url, {
        token: () => token(user),
        backoff: { min: 20, max: 200 },
        ...options,
      });
      clients.push(relay);
      return Object.assign(relay, { user });
    },
  } as Stage;
  beforeAll(async () => {
    stage.relay = await RelayProcess.start({ 'ws.ping_interval': '1s', ...settings });
    stage.proxy = await Proxy.start(stage.relay.ws);
  });
  afterEach(() => {
    for (const relay of clients.splice(0)) relay.close();
    Object.assign(stage.proxy, { refusing: false, delay: 0 });
    stage.proxy.thaw();
  });
  afterAll(async () => {
    await stage.proxy?.stop();
    await stage.relay?.stop();
  });
  return stage;
}

export const isLive = (relay: Relay): Promise<void> =>
  until(
    () => relay.state.value === 'live',
    () => `live; is ${relay.state.value}`,
  );
export const isAway = (relay: Relay): Promise<void> =>
  until(() => relay.state.value !== 'live', 'the end of a connection');

/** Breaks the connection and waits until there is another: one that came back is hard to see away. */
export async function comesBack(relay: Relay, from: () => unknown): Promise<void> {
  let welcomes = 0;
  const off = relay.on('welcome', () => welcomes++);
  await from();
  await until(() => welcomes && relay.state.value === 'live', 'a new connection');
  off();
}
