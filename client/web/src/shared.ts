import { Connection } from './connection.js';
import { connect } from './index.js';
import type { ClientFrame, EventFrame, ServerFrame } from './frames.js';
import type { Welcome } from './generated/contract.js';
import { Hub, type FromHub, type ToHub } from './hub.js';
import type { Link, LinkUser } from './link.js';
import { watchPage } from './page.js';
import { Relay, type RelayOptions } from './relay.js';
import { uniqueId } from './unique_id.js';

export type SharedOptions = RelayOptions & {
  /** Whose connection it is: tabs of the same user, and only they, share one. */
  user: number;
};

/**
 * `connect`, but one connection for all tabs of the browser that share a user: one of them has it and
 * passes on what comes; when it goes, another takes over from where it was. Each tab has its own
 * cursor, rooms and listeners, and sees what it would see alone. Where the browser has no Web Locks
 * (pages that are not secure, servers) or forbids them (sandboxed frames, storage blocked), it is `connect`.
 */
export function share(url: string | URL, options: SharedOptions): Relay {
  const able = globalThis.navigator?.locks && globalThis.BroadcastChannel && globalThis.document;
  if (!able) return connect(url, options);
  return new Relay(url, options, (user) => new SharedLink(url, options, user));
}

/** On top of the relay's ping interval, until a silent hub is taken over: ms. As for a connection. */
const SILENCE_MARGIN = 10_000;
/** Half of what a hub in doubt has to answer, at least: ms. */
const PROBE_HALF = 1_500;
/** How often a hub that has not let a tab in yet must show that it lives: ms. */
const ASK_EVERY = 10_000;
/** Of what tabs say to each other: those of another version of this package are not understood. */
const PROTOCOL = 1;

/** A tab's way to the relay: through the hub, which may be its own. */
class SharedLink implements Link {
  /** Instead of all else, where the browser lets tabs share nothing. */
  private alone: Connection | undefined;
  private readonly name: string;
  private readonly tab = uniqueId();
  private channel: BroadcastChannel | undefined;
  private hub: Hub | undefined;
  private hubId: string | undefined;
  private attached = false;
  private readonly rooms = new Set<string>();
  private ended = new AbortController();
  private unwatch = () => {};
  private quiet = 0;
  private ticks: ReturnType<typeof setInterval> | undefined;
  private probing: ReturnType<typeof setTimeout> | undefined;
  private nudge: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string | URL,
    private readonly options: SharedOptions,
    private readonly user: LinkUser,
  ) {
    this.name = `msab/${PROTOCOL}:${new URL(url, location.href)}#${options.user}`;
  }

  open(): void {
    if (this.alone) return this.alone.open();
    this.unwatch = watchPage({
      wake: () => this.wake(),
      doubt: () => {
        this.check();
        this.user.pageChanged();
      },
      hide: () => {
        this.detach();
        this.user.lost({ code: 1001, reason: 'page hidden' });
      },
      show: () => this.wake(),
    });
    this.attach();
  }

  close(): void {
    this.alone?.close();
    this.unwatch();
    this.detach();
  }

  send(frame: ClientFrame): boolean {
    if (this.alone) return this.alone.send(frame);
    if (!this.attached) return false;
    if (frame.event === 'room:leave') this.rooms.delete((frame.data as { roomId: string }).roomId);
    this.post({ frame });
    return true;
  }

  private attach(): void {
    const { signal } = (this.ended = new AbortController());
    let channel: BroadcastChannel;
    try {
      channel = this.channel = new BroadcastChannel(this.name);
    } catch {
      return this.goAlone();
    }
    this.left();
    channel.onmessage = ({ data }: MessageEvent<ToHub | FromHub>) => {
      if ('hub' in data && (data.to ?? this.tab) === this.tab) this.hear(data);
    };
    // A lock of its own, held while it lives: the hub sees by it when the tab is gone.
    const held = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    const granted = navigator.locks.request(`${this.name}/${this.tab}`, () => {
      if (signal.aborted) return;
      this.askIn();
      void this.lead(signal, held, false);
      return held;
    });
    granted.catch(() => signal.aborted || this.goAlone());
  }

  /** The browser has channels and locks, and this frame may not use them. */
  private goAlone(): void {
    this.close();
    this.alone = new Connection(this.url, this.options, this.user);
    this.alone.open();
  }

  /** Lets go of everything, at once. */
  private detach(): void {
    if (!this.channel) return;
    this.post({ bye: true });
    this.ended.abort();
    this.hub?.close();
    this.hub = undefined;
    this.channel.close();
    this.channel = undefined;
    this.hubId = undefined;
    this.left();
    clearInterval(this.ticks);
  }

  /** Waits to lead, or takes over, and leads until told otherwise. */
  private async lead(signal: AbortSignal, held: Promise<void>, steal: boolean): Promise<void> {
    try {
      await navigator.locks.request(this.name, steal ? { steal } : { signal }, () => {
        if (signal.aborted) return;
        this.hub?.close();
        this.hub = new Hub(this.name, uniqueId(), this.url, this.options, this.options.user);
        return held;
      });
    } catch {
      // Taken over by another tab, which found this one silent, or no longer wanted.
      if (signal.aborted) return;
      const mine = this.hub;
      mine?.close();
      this.hub = undefined;
      // Unless the new hub was heard already.
      if (mine && this.hubId === mine.id) this.follow(undefined);
      void this.lead(signal, held, false);
    }
  }

  private takeOver(): void {
    if (this.hub || !this.channel) return; // its own connection knows how to help itself
    this.left();
    this.user.lost({ code: 1006, reason: 'the tab with the connection is silent', retryIn: 0 });
    const { signal } = this.ended;
    const held = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    void this.lead(signal, held, true);
  }

  private hear(message: FromHub): void {
    if ('gather' in message) return this.follow(message.hub);
    // Whoever answers this tab is the hub: others may be gone and not quite silent yet.
    const answers = 'here' in message || ('frame' in message && isWelcome(message.frame));
    if (answers) this.hubId ??= message.hub;
    if (message.hub !== this.hubId) return;
    this.quiet = 0;
    if ('here' in message) return;
    if ('gone' in message) this.follow(undefined);
    else if ('frame' in message) this.pass(message.frame);
    else if ('failed' in message) this.user.failed(new Error(message.failed));
    else if ('ended' in message) {
      this.close();
      this.user.ended(message.ended);
    } else {
      this.left();
      this.user.lost(message.lost);
      // The hub's tab may be in the background, where timers sleep; a message wakes it.
      this.nudge = setTimeout(() => this.check(), (message.lost.retryIn ?? 0) + 200);
    }
  }

  private pass(frame: ServerFrame): void {
    if (isWelcome(frame)) {
      const { rooms, pingInterval } = frame.data;
      this.left();
      this.attached = true;
      for (const room of rooms) this.rooms.add(room);
      const limit = pingInterval + SILENCE_MARGIN;
      clearInterval(this.ticks);
      this.ticks = setInterval(() => {
        if (++this.quiet > 10) this.takeOver();
      }, limit / 10);
    }
    if (!this.attached) return;
    if ('reply' in frame) {
      const { roomId, participants } = (frame.data ?? {}) as { roomId?: string; participants?: unknown };
      if (roomId !== undefined && participants) this.rooms.add(roomId);
    }
    const { room, cursor } = frame as EventFrame;
    if (room === undefined || this.rooms.has(room)) this.user.receive(frame);
    else if (cursor !== undefined) this.user.receive({ event: 'ping', cursor }); // another tab's room
  }

  /** Not attached to any hub, for now. */
  private left(): void {
    this.attached = false;
    this.rooms.clear();
    clearInterval(this.ticks);
    clearTimeout(this.probing);
    clearTimeout(this.nudge);
    this.probing = undefined;
    this.quiet = 0;
    this.ticks = setInterval(() => {
      this.post({ ask: true });
      this.expectHub();
    }, ASK_EVERY);
  }

  /** Attaches to a new hub; `undefined`: to the one that answers. */
  private follow(hub: string | undefined): void {
    this.hubId = hub;
    if (this.attached) {
      this.left();
      this.user.lost({ code: 1006, reason: 'another tab has the connection now', retryIn: 0 });
    }
    this.askIn();
  }

  private askIn(): void {
    const { cursor, rooms } = this.user.resume(this.options.user);
    this.post({ attach: { cursor, rooms } });
    this.expectHub();
  }

  private wake(): void {
    if (!this.channel) this.attach();
    this.user.pageChanged();
    this.check();
  }

  /** The hub answers, and checks its connection. */
  check(): void {
    if (this.alone) return this.alone.check();
    this.post({ wake: true });
    this.expectHub();
  }

  /**
   * Where nothing of a hub is heard, its tab sleeps, or the one that is to be the next does: this one
   * takes over. Asked in two halves: what came while this tab slept is heard in between. Not to the
   * millisecond, so that several tabs don't take it from each other.
   */
  private expectHub(): void {
    if (this.hub || this.probing !== undefined) return;
    this.quiet = NaN; // until a message; no tick changes it
    const half = PROBE_HALF * (1 + Math.random() / 2);
    const look = (last: boolean) => {
      const heard = !Number.isNaN(this.quiet);
      this.probing = undefined;
      if (!heard && last) this.takeOver();
      else if (!heard) this.probing = setTimeout(look, half, true);
    };
    this.probing = setTimeout(look, half, false);
  }

  // A ToHub but for who says it.
  private post(message: object): void {
    this.channel?.postMessage({ from: this.tab, ...message });
  }
}

function isWelcome(frame: ServerFrame): frame is { event: 'welcome'; data: Welcome } {
  return 'event' in frame && frame.event === 'welcome';
}
