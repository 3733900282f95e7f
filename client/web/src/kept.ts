import { connect } from './index.js';
import type { Relay, RelayOptions } from './relay.js';

// Relays that components share by address. Kept on the global object, so that a module which hot
// reload evaluates again finds the connection of the one before.

interface Kept {
  relay: Relay;
  users: number;
}

const KEY = Symbol.for('@msab/client');
/** Until a relay that nobody uses is closed; enough for the hot reload of a slow machine: ms. */
const GRACE = 5_000;

export const inBrowser = typeof document !== 'undefined';

function all(): Map<string, Kept> {
  return ((globalThis as { [KEY]?: Map<string, Kept> })[KEY] ??= new Map());
}

/**
 * The relay of this address, not opened yet if it is new. Options given later replace `token` and
 * the like. On a server it is one of its own each time, and never opened: users must not meet there.
 */
export function relayFor(url: string | URL, options: RelayOptions): Relay {
  const make = () => connect(url, { ...options, open: false });
  if (!inBrowser) return make();
  const kept = all().get(String(url));
  if (!kept) {
    const relay = make();
    all().set(String(url), { relay, users: 0 });
    return relay;
  }
  Object.assign(kept.relay.options, options, { open: false });
  return kept.relay;
}

/** Opens it for as long as somebody has it. Returns what lets go of it. */
export function retain(relay: Relay): () => void {
  if (!inBrowser) return () => {};
  const key = String(relay.url);
  let kept = all().get(key);
  if (kept?.relay !== relay) all().set(key, (kept = { relay, users: 0 }));
  kept.users++;
  relay.open();
  let released = false;
  return () => {
    if (released) return;
    released = true;
    if (--kept.users) return;
    setTimeout(() => {
      if (kept.users) return;
      relay.close();
      if (all().get(key) === kept) all().delete(key);
    }, GRACE);
  };
}
