import { Backoff, type BackoffOptions } from './backoff.js';
import type { ClientFrame, Reply, ServerFrame } from './frames.js';
import {
  CLOSE_DRAINING,
  CLOSE_TOKEN_EXPIRED,
  CLOSE_TOO_MANY_CONNECTIONS,
  CLOSE_UNAUTHENTICATED,
  type Welcome,
} from './generated/contract.js';
import type { Link, LinkUser } from './link.js';
import { watchPage } from './page.js';
import { Token, userOf, type TokenSource } from './token.js';

export interface ConnectionOptions {
  token: TokenSource;
  backoff?: BackoffOptions | undefined;
  /** Instead of the global one. */
  WebSocket?: typeof WebSocket | undefined;
}

/** From the socket to its `welcome`: ms. */
const WELCOME_LIMIT = 15_000;
/** On top of the relay's ping interval, until a silent path counts as broken: ms. */
const SILENCE_MARGIN = 10_000;
/** Half of what a path in doubt has to answer: ms. */
const PROBE_HALF = 1_500;
/** A connection that lived this long after `live` was a success: ms. */
const STABLE = 10_000;
/** Ids of the connection's own commands: others' are positive. */
const PING_ID = 0;
const AUTH_ID = -1;

/**
 * One WebSocket after the other to the same relay: token, attempt, welcome, watch, back off, again.
 * It honours close codes and told delays, notices a path that broke without a word, renews the token
 * in place, and lets go of the socket while the page is put away.
 */
export class Connection implements Link {
  /** `over`: not opened, closed, or ended by the relay. `hidden`: the page is put away. */
  private phase: 'over' | 'connecting' | 'up' | 'waiting' | 'hidden' = 'over';
  private socket: WebSocket | undefined;
  private attempt = new AbortController();
  private retry: Timer;
  private limit: Timer;
  private probing: Timer;
  private renewal: Timer;
  private ticks: Timer;
  /** The wait was told by the relay: nothing here shortens it. */
  private told = false;
  /** Ticks without a frame; NaN, which no tick changes, from a probe to the next frame. */
  private quiet = 0;
  /** When the connection became live, by the monotonic clock; 0: it isn't. */
  private liveAt = 0;
  /** The token of this attempt had been used before. */
  private reused = false;
  private renewing: string | undefined;
  private readonly token: Token;
  private readonly backoff: Backoff;
  private readonly renewalBackoff: Backoff;
  private unwatch = () => {};

  private readonly url: URL | undefined;

  /** Throws a TypeError if `url` is none. */
  constructor(
    url: string | URL,
    private readonly options: ConnectionOptions,
    private readonly user: LinkUser,
  ) {
    this.url = absolute(url);
    this.token = new Token(() => this.options.token);
    this.backoff = new Backoff(options.backoff);
    this.renewalBackoff = new Backoff(options.backoff);
  }

  open(): void {
    if (this.phase !== 'over') return;
    // On a server that renders pages (no WebSockets before Node 22, no page that a path belongs to)
    // there is nothing to do, and nothing to fail over.
    if (!this.url || !(this.options.WebSocket ?? globalThis.WebSocket)) return;
    this.unwatch = watchPage({
      wake: () => this.wake(),
      doubt: () => {
        this.check();
        this.user.pageChanged();
      },
      hide: () => this.hide(),
      show: () => this.wake(),
    });
    this.backoff.succeeded(true);
    void this.connect();
  }

  close(): void {
    this.phase = 'over';
    this.unwatch();
    this.detach();
  }

  send(frame: ClientFrame): boolean {
    if (this.phase !== 'up') return false;
    this.socket!.send(JSON.stringify(frame));
    return true;
  }

  /** Asks for a sign of life. In two halves: what came while the page slept is heard in between. */
  check(): void {
    if (this.phase !== 'up' || this.probing !== undefined) return;
    this.quiet = NaN;
    this.send({ id: PING_ID, event: 'ping' });
    const look = (last: boolean) => {
      const heard = !Number.isNaN(this.quiet);
      if (!heard && last) return this.down(1006, 'no answer', { now: true });
      this.probing = heard ? undefined : setTimeout(look, PROBE_HALF, true);
    };
    this.probing = setTimeout(look, PROBE_HALF, false);
  }

  private async connect(): Promise<void> {
    this.phase = 'connecting';
    this.told = false;
    const { signal } = (this.attempt = new AbortController());
    this.reused = this.token.reusable;
    try {
      const token = await this.token.get(signal);
      if (signal.aborted) return;
      this.connectWith(token);
    } catch (error) {
      if (!signal.aborted) this.down(1006, String(error), { error });
    }
  }

  private connectWith(token: string): void {
    const Socket = this.options.WebSocket ?? globalThis.WebSocket;
    const { cursor, rooms } = this.user.resume(userOf(token));
    const url = new URL(this.url!);
    if (cursor !== undefined) url.searchParams.set('cursor', cursor);
    if (rooms.length) url.searchParams.set('rooms', rooms.join());
    const socket = (this.socket = new Socket(url, ['msab.v1', `token.${token}`]));
    this.limit = setTimeout(() => this.down(1006, 'no welcome in time'), WELCOME_LIMIT);
    socket.onclose = ({ code, reason }) => this.down(code, reason);
    socket.onmessage = ({ data }) => {
      this.quiet = 0;
      let frame: { event?: string; data?: unknown; reply?: number };
      try {
        frame = JSON.parse(data);
      } catch (error) {
        return this.down(1006, 'not a frame of the relay', { error });
      }
      // Events are most of it: the rest is told from them by what it has or lacks.
      if (frame.data !== undefined && frame.reply === undefined) {
        if (frame.event === 'welcome') this.welcome(frame.data as Welcome, token);
      } else if (frame.reply! <= 0) {
        return this.answer(frame as Reply);
      } else if (frame.event === 'live') {
        this.liveAt = performance.now();
        this.backoff.succeeded(false);
      }
      this.user.receive(frame as ServerFrame);
    };
  }

  private welcome({ pingInterval, tokenExpiresAt }: Welcome, token: string): void {
    clearTimeout(this.limit);
    this.phase = 'up';
    this.token.accepted(token, tokenExpiresAt);
    this.scheduleRenewal();
    // Counted, not timed: neither a sleeping machine nor a throttled tab nor a clock that jumps
    // looks like a silent relay.
    this.ticks = setInterval(
      () => {
        if (++this.quiet > 10) this.down(1006, 'nothing heard');
      },
      (pingInterval + SILENCE_MARGIN) / 10,
    );
  }

  /** This connection or attempt is over; decides whether and when there is another one. */
  private down(code: number, reason: string, { error, now }: { error?: unknown; now?: boolean } = {}): void {
    const lived = this.liveAt;
    if (lived) this.backoff.succeeded(performance.now() - lived > STABLE);
    this.detach();
    let delay: number | undefined = now ? 0 : undefined;
    if (code === CLOSE_TOKEN_EXPIRED || (code === CLOSE_UNAUTHENTICATED && this.reused)) {
      // A token is used again as long as it seems good; the relay may know better.
      this.token.refused();
      if (!this.token.renewable) return this.end(code, reason);
      if (lived || this.reused) delay = 0;
    } else if (code >= 4500 && code < 5000) {
      return this.end(code, reason);
    }
    if (code === CLOSE_TOO_MANY_CONNECTIONS) this.backoff.atLeast(4);
    const after = code === CLOSE_DRAINING && /retry_after_ms=(\d+)/.exec(reason)?.[1];
    if (after) delay = Math.min(Number(after), 300_000);
    this.told = code === CLOSE_DRAINING || code === CLOSE_TOO_MANY_CONNECTIONS;
    delay ??= this.backoff.next();
    this.phase = 'waiting';
    this.retry = setTimeout(() => void this.connect(), delay);
    this.user.lost({ code, reason, retryIn: delay, ...(error !== undefined && { error }) });
  }

  private end(code: number, reason: string): void {
    this.close();
    this.user.ended({ code, reason });
  }

  /** Lets go of the socket and of all that waits, at once: nothing of it is heard any more. */
  private detach(): void {
    this.attempt.abort();
    for (const timer of [this.retry, this.limit, this.probing, this.renewal, this.ticks]) {
      clearTimeout(timer);
    }
    this.probing = undefined;
    this.renewing = undefined;
    this.quiet = this.liveAt = 0;
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onclose = socket.onmessage = null;
    socket.close();
  }

  /** Looks at once whether the connection lives, or makes one, unless the relay told to wait. */
  wake(): void {
    if (this.phase === 'up') this.check();
    if (this.phase === 'hidden' || (this.phase === 'waiting' && !this.told)) {
      clearTimeout(this.retry);
      void this.connect();
    }
    this.user.pageChanged();
  }

  private hide(): void {
    if (this.phase === 'over') return;
    this.detach();
    this.phase = 'hidden';
    this.user.lost({ code: 1001, reason: 'page hidden' });
  }

  private scheduleRenewal(): void {
    const delay = this.token.renewIn();
    if (delay !== undefined) this.renewal = setTimeout(() => void this.renew(), delay);
  }

  private async renew(): Promise<void> {
    const { signal } = this.attempt;
    try {
      this.renewing = await this.token.fetch('renew', signal);
      if (!signal.aborted) this.send({ id: AUTH_ID, event: 'auth', data: { token: this.renewing } });
    } catch (error) {
      if (!signal.aborted) this.renewalFailed(error);
    }
  }

  private renewalFailed(error: unknown): void {
    this.renewal = setTimeout(() => void this.renew(), this.renewalBackoff.next());
    this.user.failed(error);
  }

  /** To one of the connection's own commands. */
  private answer({ reply, ok, data, error }: Reply): void {
    if (reply !== AUTH_ID || this.renewing === undefined) return;
    if (!ok) return this.renewalFailed(new Error(`${error!.code}: ${error!.message}`));
    this.renewalBackoff.succeeded(true);
    this.token.accepted(this.renewing, (data as { tokenExpiresAt: number }).tokenExpiresAt);
    this.scheduleRenewal();
  }
}

type Timer = ReturnType<typeof setTimeout> | undefined;

/** The relay's address; `undefined`: a path of this page's origin, and there is no page. */
function absolute(address: string | URL): URL | undefined {
  const page = globalThis.location?.href;
  if (!page && /^[/.]/.test(String(address))) return undefined;
  const url = new URL(address, page);
  url.protocol = url.protocol.replace('http', 'ws');
  if (url.pathname === '/') url.pathname = '/ws';
  return url;
}
