import { Commands } from './commands.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { parseCursor } from './cursor.js';
import type { RelayError } from './errors.js';
import type { ClientFrame, EventFrame, ServerFrame } from './frames.js';
import { CLOSE_UNAUTHENTICATED, type Welcome } from './generated/contract.js';
import type { Disconnect, SessionClosed } from './link.js';

/** From a tab to whichever hub there is. */
export type ToHub = { from: string } & (
  | { attach: { cursor?: string | undefined; rooms: readonly string[] } }
  | { frame: ClientFrame }
  /** Look whether the connection lives, or make one. */
  | { wake: true }
  /** Are you there? */
  | { ask: true }
  | { bye: true }
);

/** From a hub to one tab (`to`) or to all. */
export type FromHub = { hub: string; to?: string } &
  /** There is a new hub: attach to it. */
  (
    | { gather: true }
    /** An answer where there is no more to say yet. */
    | { here: true }
    | { gone: true }
    | { frame: ServerFrame }
    | { lost: Disconnect }
    | { ended: SessionClosed }
    | { failed: string }
  );

interface Tab {
  cursor: string | undefined;
  rooms: Set<string>;
  /** It was welcomed, and gets what comes. */
  attached: boolean;
}

/** Events kept for tabs that attach with an older cursor. */
const KEPT = 1_000;
/** For tabs to say where they are, before a new hub connects; those that sleep won't: ms. */
const GATHER = 1_000;

/**
 * The one connection of a browser, in the tab that leads. To every tab, its own included, it speaks
 * as the relay does: welcome, what that tab missed (from the last events, kept here), live; commands
 * and their answers. It resumes from the oldest cursor of any tab; tabs skip what they have heard.
 */
export class Hub {
  private readonly channel: BroadcastChannel;
  private readonly connection: Connection;
  private readonly commands: Commands;
  private readonly tabs = new Map<string, Tab>();
  /** Rooms of the connection, and the number from which on all of a room's events are `kept`. */
  private readonly rooms = new Map<string, number>();
  private kept: { sequence: number; frame: EventFrame }[] = [];
  /** All events after this number are kept. */
  private start = 0;
  private epoch = '';
  private place: string | undefined;
  private hello: Welcome | undefined;
  private up = false;
  private live = false;
  private readonly ended = new AbortController();
  private readonly opening: ReturnType<typeof setTimeout>;
  /** Tabs that live, and will say where they are; `undefined`: not known yet. */
  private awaited: Set<string> | undefined;

  constructor(
    private readonly name: string,
    readonly id: string,
    url: string | URL,
    options: ConnectionOptions,
    private readonly user: number,
  ) {
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }: MessageEvent<ToHub | FromHub>) => {
      if ('from' in data) this.hear(data);
    };
    this.connection = new Connection(url, options, {
      resume: () => ({ cursor: this.place ?? this.oldest(), rooms: this.wanted() }),
      receive: (frame) => this.receive(frame),
      lost: (how) => this.lost(how),
      ended: (how) => this.post({ ended: how }),
      failed: (error) => this.post({ failed: String(error) }),
      pageChanged: () => {},
    });
    this.commands = new Commands((frame) => this.connection.send(frame));
    this.post({ gather: true });
    this.opening = setTimeout(() => this.connection.open(), GATHER);
    void this.findTabs();
  }

  private async findTabs(): Promise<void> {
    const { held = [] } = await navigator.locks.query();
    const prefix = `${this.name}/`;
    const names = held.flatMap(({ name }) => (name?.startsWith(prefix) ? name.slice(prefix.length) : []));
    this.awaited = new Set(names);
    this.openWhenGathered();
  }

  private openWhenGathered(): void {
    if (!this.awaited || this.ended.signal.aborted) return;
    for (const tab of this.awaited) if (!this.tabs.has(tab)) return;
    clearTimeout(this.opening);
    this.connection.open();
  }

  close(): void {
    this.post({ gone: true });
    clearTimeout(this.opening);
    this.ended.abort();
    this.connection.close();
    this.commands.close();
    this.channel.close();
  }

  private hear(message: ToHub): void {
    const { from } = message;
    if ('wake' in message) this.connection.wake();
    if ('wake' in message || 'ask' in message) {
      // One whose wish to be attached nobody was there to hear.
      if ('ask' in message && !this.tabs.has(from)) return this.post({ gather: true }, from);
      this.post(this.live ? { frame: { event: 'ping', cursor: this.place! } } : { here: true }, from);
    }
    if ('bye' in message) this.detach(from);
    else if ('attach' in message) {
      const { cursor, rooms } = message.attach;
      if (!this.tabs.has(from)) {
        // Every tab holds a lock of its own while it lives: to get it is to know that it is gone.
        const { signal } = this.ended;
        navigator.locks.request(`${this.name}/${from}`, { signal }, () => this.detach(from)).catch(() => {});
      }
      this.tabs.set(from, { cursor, rooms: new Set(rooms), attached: false });
      if (this.up) return this.welcome(from);
      this.post({ here: true }, from);
      this.openWhenGathered();
    } else if ('frame' in message) this.command(from, message.frame);
  }

  private command(from: string, { id, event, data }: ClientFrame): void {
    const tab = this.tabs.get(from);
    if (!tab?.attached) return; // it is told of a new welcome, and repeats what may be repeated
    const room = String((data as { roomId?: unknown } | undefined)?.roomId);
    if (event === 'room:leave') {
      tab.rooms.delete(room);
      if (this.wanted().includes(room)) return this.post({ frame: { reply: id, ok: true, data: {} } }, from);
      this.rooms.delete(room);
    }
    if (event === 'room:join') tab.rooms.add(room);
    this.commands.request(event, data, false, { timeout: 60_000 }).then(
      (answer) => {
        if (event === 'room:join' && !this.rooms.has(room)) {
          this.rooms.set(room, parseCursor((answer as { cursor: string }).cursor)!.sequence);
        }
        this.post({ frame: { reply: id, ok: true, data: answer } }, from);
      },
      ({ code, message, retryAfter, details }: RelayError) => {
        if (event === 'room:join' && !this.rooms.has(room)) tab.rooms.delete(room);
        if (code === 'CONNECTION_LOST' || code === 'CLOSED') return;
        const error = { code, message, ...(retryAfter !== undefined && { retryAfter }), details };
        this.post({ frame: { reply: id, ok: false, error } }, from);
      },
    );
  }

  private receive(frame: ServerFrame): void {
    if ('reply' in frame) return this.commands.reply(frame);
    if (!('data' in frame)) {
      this.place = frame.cursor;
      this.live ||= frame.event === 'live';
    } else if (frame.event === 'welcome') {
      return this.welcomed(frame.data as Welcome);
    } else if ('cursor' in frame && frame.cursor !== undefined) {
      const { sequence } = parseCursor(frame.cursor)!;
      this.place = frame.cursor;
      this.kept.push({ sequence, frame });
      // Not for every event: by halves.
      if (this.kept.length > 2 * KEPT) {
        const cut = this.kept.splice(0, KEPT);
        this.start = cut.at(-1)!.sequence;
      }
    }
    this.post({ frame });
  }

  private welcomed(hello: Welcome): void {
    if (hello.userId !== this.user) {
      this.connection.close();
      const reason = `the token is of user ${hello.userId}, not of ${this.user}`;
      return this.post({ ended: { code: CLOSE_UNAUTHENTICATED, reason } });
    }
    const place = parseCursor(hello.cursor)!;
    if (!this.hello || !hello.recovered) {
      this.rooms.clear();
      this.kept = [];
      this.start = place.sequence;
      this.epoch = place.epoch;
    }
    this.hello = hello;
    this.place = hello.cursor;
    this.up = true;
    for (const room of hello.rooms) if (!this.rooms.has(room)) this.rooms.set(room, place.sequence);
    for (const room of this.rooms.keys()) if (!hello.rooms.includes(room)) this.rooms.delete(room);
    for (const tab of this.tabs.keys()) this.welcome(tab);
  }

  private welcome(id: string): void {
    const tab = this.tabs.get(id)!;
    const from = tab.cursor === undefined ? undefined : parseCursor(tab.cursor);
    const sameEpoch = from?.epoch === this.epoch;
    const recovered = tab.cursor === undefined ? null : sameEpoch && from!.sequence >= this.start;
    const missed = recovered ? this.kept.filter(({ sequence }) => sequence > from!.sequence) : [];
    const rooms = [...tab.rooms].filter((room) => {
      const since = this.rooms.get(room);
      return since !== undefined && (!recovered || since <= from!.sequence);
    });
    const { gap: _, ...hello } = this.hello!;
    const data: Welcome = {
      ...hello,
      recovered,
      ...(recovered === false && { gap: sameEpoch ? 'expired' : 'epoch' }),
      cursor: recovered ? tab.cursor! : this.place!,
      missed: missed.length + (this.live ? 0 : hello.missed),
      rooms,
    };
    tab.attached = true;
    this.post({ frame: { event: 'welcome', data } }, id);
    for (const { frame } of missed) this.post({ frame }, id);
    if (this.live) this.post({ frame: { event: 'live', cursor: this.place! } }, id);
  }

  private lost(how: Disconnect): void {
    this.up = this.live = false;
    for (const tab of this.tabs.values()) {
      // What was posted to it, it has or will have before the next welcome.
      if (tab.attached) tab.cursor = this.place;
      tab.attached = false;
    }
    const tooLarge = how.code === 1009;
    this.commands.lost(tooLarge);
    const { error, ...rest } = how;
    const lost: Disconnect = error === undefined ? rest : { ...rest, error: String(error) };
    // After the answer to the command that was too large, which is one tab's: no other tab may take
    // one of its own for it.
    if (tooLarge) lost.code = 1006;
    queueMicrotask(() => {
      if (!this.ended.signal.aborted) this.post({ lost });
    });
  }

  private detach(id: string): void {
    if (!this.tabs.delete(id)) return;
    for (const room of this.rooms.keys()) {
      if (this.wanted().includes(room)) continue;
      this.rooms.delete(room);
      this.commands.request('room:leave', { roomId: room }, false, { timeout: 60_000 }).catch(() => {});
    }
  }

  private wanted(): string[] {
    return [...new Set([...this.tabs.values()].flatMap(({ rooms }) => [...rooms]))];
  }

  /** The oldest cursor of the tabs; of several epochs, the first tab's counts. */
  private oldest(): string | undefined {
    let oldest: { text: string; epoch: string; sequence: number } | undefined;
    for (const { cursor } of this.tabs.values()) {
      const parsed = cursor === undefined ? undefined : parseCursor(cursor);
      if (!parsed || (oldest && oldest.epoch !== parsed.epoch)) continue;
      if (!oldest || parsed.sequence < oldest.sequence) oldest = { text: cursor!, ...parsed };
    }
    return oldest?.text;
  }

  // A FromHub but for who says it and to whom.
  private post(message: object, to?: string): void {
    this.channel.postMessage({ hub: this.id, ...message, ...(to !== undefined && { to }) });
  }
}
