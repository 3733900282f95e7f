// Generated from client/web by scripts/demo-client. Do not edit.

// client/web/src/backoff.ts
var Backoff = class {
  constructor(options = {}, random = Math.random) {
    this.options = options;
    this.random = random;
  }
  options;
  random;
  failures = 0;
  /** ms. */
  next() {
    const { min = 1e3, max = 3e4 } = this.options;
    return this.random() * Math.min(max, min * 2 ** this.failures++);
  }
  /**
   * Things went well. A connection that was live only briefly keeps some of the distance: a relay
   * that throws everybody out again must not be hammered.
   */
  succeeded(stable) {
    this.failures = stable ? 0 : Math.min(this.failures, 3);
  }
  /** A refusal that time cures: at least as far as after `failures` of them. */
  atLeast(failures) {
    this.failures = Math.max(this.failures, failures);
  }
};

// client/web/src/generated/contract.ts
var contractVersion = "c01731ca66c0f56c";
var CLOSE_SLOW_CONSUMER = 4e3;
var CLOSE_TOKEN_EXPIRED = 4001;
var CLOSE_NO_PONG = 4002;
var CLOSE_DRAINING = 4003;
var CLOSE_TOO_MANY_CONNECTIONS = 4004;
var CLOSE_UNAUTHENTICATED = 4500;
var CLOSE_REVOKED = 4501;
var CLOSE_PROTOCOL_ERROR = 4502;
var CLOSE_ORIGIN_NOT_ALLOWED = 4503;
var CLOSE_REMOVED = 4504;

// client/web/src/page.ts
function watchPage(on) {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {
  };
  const ended = new AbortController();
  const listen = (target, type, listener) => target.addEventListener(type, listener, { signal: ended.signal });
  listen(window, "online", on.wake);
  listen(window, "offline", on.doubt);
  listen(window, "pagehide", on.hide);
  listen(window, "pageshow", on.show);
  listen(document, "resume", on.wake);
  listen(document, "visibilitychange", () => {
    if (document.visibilityState === "visible") on.wake();
  });
  return () => ended.abort();
}
var isOffline = () => globalThis.navigator?.onLine === false;

// client/web/src/token.ts
var FETCH_LIMIT = 3e4;
var Token = class {
  constructor(source) {
    this.source = source;
  }
  source;
  current;
  /** ms since 1970: what the relay said of `current`, and before that, what it says itself. */
  expiresAt = 0;
  refusal = false;
  get renewable() {
    return typeof this.source() === "function";
  }
  /** Whether `get` would hand out one that was used before. */
  get reusable() {
    return this.current !== void 0 && this.expiresAt - Date.now() > 1e4;
  }
  /** Rejects when the source does, or gives nothing usable, or takes longer than 30 s. */
  async get(signal) {
    if (this.reusable) return this.current;
    const refused = this.refusal ? this.current : void 0;
    const token = await this.fetch(this.refusal ? "refused" : "connect", signal);
    if (token === refused) throw new Error("token() gave the token again that the relay refused");
    this.refusal = false;
    this.expiresAt = Number(claimsOf(token)?.exp) * 1e3 || 0;
    return this.current = token;
  }
  async fetch(reason, signal) {
    const source = this.source();
    if (typeof source === "string") return source;
    const ended = new AbortController();
    const end = () => ended.abort(signal.reason);
    signal.addEventListener("abort", end);
    const timer = setTimeout(() => ended.abort(new Error("token() took longer than 30 s")), FETCH_LIMIT);
    try {
      const token = await Promise.race([
        source({ reason, signal: ended.signal }),
        new Promise(
          (_, reject) => ended.signal.addEventListener("abort", () => reject(ended.signal.reason))
        )
      ]);
      if (typeof token !== "string" || !/^[\w.-]+$/.test(token)) {
        throw new TypeError("token() gave no JWT");
      }
      return token;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
    }
  }
  /** The relay took it. */
  accepted(token, expiresAt) {
    this.current = token;
    this.expiresAt = expiresAt;
  }
  /** The relay didn't, or does no longer. */
  refused() {
    this.expiresAt = 0;
    this.refusal = true;
  }
  /** ms until a new one should be fetched; `undefined` if that can't be, or is too late. */
  renewIn() {
    const left = this.expiresAt - Date.now();
    if (!this.renewable || left < 1e3) return void 0;
    const early = Math.min(6e4, left / 5) * (1 + Math.random() / 4);
    return Math.min(left - early, 2 ** 31 - 1);
  }
};
function userOf(token) {
  const claims = claimsOf(token);
  const user = Number(claims?.sub ?? claims?.id);
  return user >= 1 ? user : void 0;
}
function claimsOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  } catch {
    return void 0;
  }
}

// client/web/src/connection.ts
var WELCOME_LIMIT = 15e3;
var SILENCE_MARGIN = 1e4;
var PROBE_HALF = 1500;
var STABLE = 1e4;
var PING_ID = 0;
var AUTH_ID = -1;
var Connection = class {
  /** Throws a TypeError if `url` is none. */
  constructor(url, options, user) {
    this.options = options;
    this.user = user;
    this.url = absolute(url);
    this.token = new Token(() => this.options.token);
    this.backoff = new Backoff(options.backoff);
    this.renewalBackoff = new Backoff(options.backoff);
  }
  options;
  user;
  /** `over`: not opened, closed, or ended by the relay. `hidden`: the page is put away. */
  phase = "over";
  socket;
  attempt = new AbortController();
  retry;
  limit;
  probing;
  renewal;
  ticks;
  /** The wait was told by the relay: nothing here shortens it. */
  told = false;
  /** Ticks without a frame; NaN, which no tick changes, from a probe to the next frame. */
  quiet = 0;
  /** When the connection became live, by the monotonic clock; 0: it isn't. */
  liveAt = 0;
  /** The token of this attempt had been used before. */
  reused = false;
  renewing;
  token;
  backoff;
  renewalBackoff;
  unwatch = () => {
  };
  url;
  open() {
    if (this.phase !== "over") return;
    if (!this.url || !(this.options.WebSocket ?? globalThis.WebSocket)) return;
    this.unwatch = watchPage({
      wake: () => this.wake(),
      doubt: () => {
        this.check();
        this.user.pageChanged();
      },
      hide: () => this.hide(),
      show: () => this.wake()
    });
    this.backoff.succeeded(true);
    void this.connect();
  }
  close() {
    this.phase = "over";
    this.unwatch();
    this.detach();
  }
  send(frame) {
    if (this.phase !== "up") return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }
  /** Asks for a sign of life. In two halves: what came while the page slept is heard in between. */
  check() {
    if (this.phase !== "up" || this.probing !== void 0) return;
    this.quiet = NaN;
    this.send({ id: PING_ID, event: "ping" });
    const look = (last) => {
      const heard = !Number.isNaN(this.quiet);
      if (!heard && last) return this.down(1006, "no answer", { now: true });
      this.probing = heard ? void 0 : setTimeout(look, PROBE_HALF, true);
    };
    this.probing = setTimeout(look, PROBE_HALF, false);
  }
  async connect() {
    this.phase = "connecting";
    this.told = false;
    const { signal } = this.attempt = new AbortController();
    this.reused = this.token.reusable;
    try {
      const token = await this.token.get(signal);
      if (signal.aborted) return;
      this.connectWith(token);
    } catch (error) {
      if (!signal.aborted) this.down(1006, String(error), { error });
    }
  }
  connectWith(token) {
    const Socket = this.options.WebSocket ?? globalThis.WebSocket;
    const { cursor, rooms } = this.user.resume(userOf(token));
    const url = new URL(this.url);
    if (cursor !== void 0) url.searchParams.set("cursor", cursor);
    if (rooms.length) url.searchParams.set("rooms", rooms.join());
    const socket = this.socket = new Socket(url, ["msab.v1", `token.${token}`]);
    this.limit = setTimeout(() => this.down(1006, "no welcome in time"), WELCOME_LIMIT);
    socket.onclose = ({ code, reason }) => this.down(code, reason);
    socket.onmessage = ({ data }) => {
      this.quiet = 0;
      let frame;
      try {
        frame = JSON.parse(data);
      } catch (error) {
        return this.down(1006, "not a frame of the relay", { error });
      }
      if (frame.data !== void 0 && frame.reply === void 0) {
        if (frame.event === "welcome") this.welcome(frame.data, token);
      } else if (frame.reply <= 0) {
        return this.answer(frame);
      } else if (frame.event === "live") {
        this.liveAt = performance.now();
        this.backoff.succeeded(false);
      }
      this.user.receive(frame);
    };
  }
  welcome({ pingInterval, tokenExpiresAt }, token) {
    clearTimeout(this.limit);
    this.phase = "up";
    this.token.accepted(token, tokenExpiresAt);
    this.scheduleRenewal();
    this.ticks = setInterval(
      () => {
        if (++this.quiet > 10) this.down(1006, "nothing heard");
      },
      (pingInterval + SILENCE_MARGIN) / 10
    );
  }
  /** This connection or attempt is over; decides whether and when there is another one. */
  down(code, reason, { error, now } = {}) {
    const lived = this.liveAt;
    if (lived) this.backoff.succeeded(performance.now() - lived > STABLE);
    this.detach();
    let delay = now ? 0 : void 0;
    if (code === CLOSE_TOKEN_EXPIRED || code === CLOSE_UNAUTHENTICATED && this.reused) {
      this.token.refused();
      if (!this.token.renewable) return this.end(code, reason);
      if (lived || this.reused) delay = 0;
    } else if (code >= 4500 && code < 5e3) {
      return this.end(code, reason);
    }
    if (code === CLOSE_TOO_MANY_CONNECTIONS) this.backoff.atLeast(4);
    const after = code === CLOSE_DRAINING && /retry_after_ms=(\d+)/.exec(reason)?.[1];
    if (after) delay = Math.min(Number(after), 3e5);
    this.told = code === CLOSE_DRAINING || code === CLOSE_TOO_MANY_CONNECTIONS;
    delay ??= this.backoff.next();
    this.phase = "waiting";
    this.retry = setTimeout(() => void this.connect(), delay);
    this.user.lost({ code, reason, retryIn: delay, ...error !== void 0 && { error } });
  }
  end(code, reason) {
    this.close();
    this.user.ended({ code, reason });
  }
  /** Lets go of the socket and of all that waits, at once: nothing of it is heard any more. */
  detach() {
    this.attempt.abort();
    for (const timer of [this.retry, this.limit, this.probing, this.renewal, this.ticks]) {
      clearTimeout(timer);
    }
    this.probing = void 0;
    this.renewing = void 0;
    this.quiet = this.liveAt = 0;
    const socket = this.socket;
    this.socket = void 0;
    if (!socket) return;
    socket.onclose = socket.onmessage = null;
    socket.close();
  }
  /** Looks at once whether the connection lives, or makes one, unless the relay told to wait. */
  wake() {
    if (this.phase === "up") this.check();
    if (this.phase === "hidden" || this.phase === "waiting" && !this.told) {
      clearTimeout(this.retry);
      void this.connect();
    }
    this.user.pageChanged();
  }
  hide() {
    if (this.phase === "over") return;
    this.detach();
    this.phase = "hidden";
    this.user.lost({ code: 1001, reason: "page hidden" });
  }
  scheduleRenewal() {
    const delay = this.token.renewIn();
    if (delay !== void 0) this.renewal = setTimeout(() => void this.renew(), delay);
  }
  async renew() {
    const { signal } = this.attempt;
    try {
      this.renewing = await this.token.fetch("renew", signal);
      if (!signal.aborted) this.send({ id: AUTH_ID, event: "auth", data: { token: this.renewing } });
    } catch (error) {
      if (!signal.aborted) this.renewalFailed(error);
    }
  }
  renewalFailed(error) {
    this.renewal = setTimeout(() => void this.renew(), this.renewalBackoff.next());
    this.user.failed(error);
  }
  /** To one of the connection's own commands. */
  answer({ reply, ok, data, error }) {
    if (reply !== AUTH_ID || this.renewing === void 0) return;
    if (!ok) return this.renewalFailed(new Error(`${error.code}: ${error.message}`));
    this.renewalBackoff.succeeded(true);
    this.token.accepted(this.renewing, data.tokenExpiresAt);
    this.scheduleRenewal();
  }
};
function absolute(address) {
  const page = globalThis.location?.href;
  if (!page && /^[/.]/.test(String(address))) return void 0;
  const url = new URL(address, page);
  url.protocol = url.protocol.replace("http", "ws");
  if (url.pathname === "/") url.pathname = "/ws";
  return url;
}

// client/web/src/cursor.ts
var isAfter = (a, b) => a.length > b.length || a.length === b.length && a > b;
var CursorKeeper = class {
  constructor(storage, key, current) {
    this.storage = storage;
    this.key = key;
    this.current = current;
  }
  storage;
  key;
  current;
  timer;
  load(user) {
    try {
      const kept = JSON.parse(this.storage.getItem(this.key) ?? "null");
      return kept && user !== void 0 && kept.user === user ? String(kept.cursor) : void 0;
    } catch {
      return void 0;
    }
  }
  /** The cursor moved. */
  touch() {
    this.timer ??= setTimeout(() => this.flush(), 1e3);
  }
  flush() {
    clearTimeout(this.timer);
    this.timer = void 0;
    const kept = this.current();
    try {
      if (kept) this.storage.setItem(this.key, JSON.stringify(kept));
    } catch {
    }
  }
};

// client/web/src/errors.ts
var RelayError = class extends Error {
  constructor(code, message, retryAfter, details) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
    this.details = details;
  }
  code;
  retryAfter;
  details;
  name = "RelayError";
};

// client/web/src/commands.ts
var Commands = class {
  constructor(send) {
    this.send = send;
  }
  send;
  last = 0;
  pending = /* @__PURE__ */ new Map();
  request(event, data, repeatable, { signal, timeout }) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const frame = { id: ++this.last, event, data };
      const abort = () => pending.reject(signal.reason);
      const timer = setTimeout(
        () => pending.reject(new RelayError("TIMEOUT", `${event}: no answer within ${timeout} ms`)),
        Math.min(timeout, 2 ** 31 - 1)
        // a longer timer would fire at once
      );
      const settle = (how) => {
        return (value) => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
          this.pending.delete(frame.id);
          how(value);
        };
      };
      const pending = { frame, repeatable, sent: false, resolve: settle(resolve), reject: settle(reject) };
      signal?.addEventListener("abort", abort);
      this.pending.set(frame.id, pending);
      pending.sent = this.send(frame);
    });
  }
  reply({ reply, ok, data, error }) {
    const pending = this.pending.get(reply);
    if (ok) pending?.resolve(data);
    else {
      const { code, message, retryAfter, details } = error;
      pending?.reject(new RelayError(code, message, retryAfter, details));
    }
  }
  /** There is a connection: what waits goes out. */
  flush() {
    for (const pending of this.pending.values()) {
      if (!pending.sent) pending.sent = this.send(pending.frame);
    }
  }
  /** The connection is gone. `tooLarge`: over the size of a message, the largest under way. */
  lost(tooLarge) {
    const sent = [...this.pending.values()].filter((pending) => pending.sent);
    const size = ({ frame }) => JSON.stringify(frame).length;
    const culprit = tooLarge && sent.reduce((a, b) => size(b) > size(a) ? b : a, sent[0]);
    for (const pending of sent) {
      pending.sent = false;
      if (pending === culprit) fail(pending, "TOO_LARGE", "larger than the relay takes");
      else if (!pending.repeatable) fail(pending, "CONNECTION_LOST", "lost before its answer");
    }
  }
  close() {
    for (const pending of this.pending.values()) fail(pending, "CLOSED", "the relay is closed");
  }
};
function fail({ frame, reject }, code, message) {
  reject(new RelayError(code, `${frame.event}: ${message}`));
}

// client/web/src/observable.ts
var Value = class {
  constructor(value) {
    this.value = value;
  }
  value;
  listeners = /* @__PURE__ */ new Set();
  get = () => this.value;
  subscribe = (listener) => {
    const own = (value) => listener(value);
    this.listeners.add(own);
    guard(own, this.value);
    return () => void this.listeners.delete(own);
  };
  set(value) {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of [...this.listeners]) if (this.value === value) guard(listener, value);
  }
};
function guard(listener, ...args) {
  try {
    listener(...args);
  } catch (error) {
    report(error);
  }
}
function report(error) {
  const { reportError } = globalThis;
  if (reportError) reportError(error);
  else console.error(error);
}

// client/web/src/listeners.ts
var Listeners = class {
  lists = /* @__PURE__ */ new Map();
  on(event, listener, { signal, once } = {}) {
    if (signal?.aborted) return () => {
    };
    const own = (data, frame) => {
      if (once) off();
      return listener(data, frame);
    };
    const off = () => {
      signal?.removeEventListener("abort", off);
      const rest = this.lists.get(event)?.filter((other) => other !== own);
      if (rest?.length) this.lists.set(event, rest);
      else this.lists.delete(event);
    };
    signal?.addEventListener("abort", off);
    this.lists.set(event, [...this.lists.get(event) ?? [], own]);
    return off;
  }
  emit(event, frame) {
    const list = this.lists.get(event);
    if (list === void 0) return;
    for (const listener of list) {
      try {
        listener(frame.data, frame);
      } catch (error) {
        report(error);
      }
    }
  }
  clear() {
    this.lists.clear();
  }
};

// client/web/src/unique_id.ts
function uniqueId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-");
}

// client/web/src/room.ts
var Membership = class {
  // `ready` was rejected
  constructor(id) {
    this.id = id;
    this.renew();
  }
  id;
  state = new Value("joining");
  participants = new Value([]);
  rooms = /* @__PURE__ */ new Set();
  error;
  ready;
  /** A snapshot was taken and followed since: a resume goes on from there. */
  settled = false;
  retry;
  resolve;
  reject;
  over = false;
  /** A new snapshot is on its way. */
  joining() {
    if (this.over) this.renew();
    this.settled = false;
    this.error = void 0;
    this.state.set("joining");
  }
  joined({ participants }) {
    this.settled = true;
    this.participants.set(participants);
    this.state.set("joined");
    this.resolve();
  }
  refused(error) {
    this.settled = false;
    this.error = error;
    this.participants.set([]);
    this.state.set("refused");
    this.fail(error);
  }
  left() {
    clearTimeout(this.retry);
    this.settled = false;
    this.state.set("left");
    this.fail(new RelayError("CLOSED", `room ${this.id} was left`));
  }
  /** The relay is closed: a snapshot under way won't come. */
  closed() {
    clearTimeout(this.retry);
    if (this.state.value === "joining") this.fail(new RelayError("CLOSED", "the relay is closed"));
  }
  receive(frame) {
    if (frame.event === "room:userJoined") {
      const { user } = frame.data;
      this.without(user.id, user);
    } else if (frame.event === "room:userLeft") {
      this.without(frame.data.userId);
    }
    for (const room of this.rooms) room.receive(frame);
  }
  without(id, ...instead) {
    if (!this.settled) return;
    this.participants.set([...this.participants.value.filter((user) => user.id !== id), ...instead]);
  }
  fail(error) {
    this.over = true;
    this.reject(error);
  }
  renew() {
    this.over = false;
    this.ready = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.ready.catch(() => {
    });
  }
};
var Room = class {
  /** Made by `relay.join`. */
  constructor(relay, membership, release) {
    this.relay = relay;
    this.membership = membership;
    this.release = release;
  }
  relay;
  membership;
  release;
  listeners = new Listeners();
  open = true;
  get id() {
    return this.membership.id;
  }
  /** Resolves once in the room, `participants` known. Rejects when refused, with a RelayError. */
  get ready() {
    return this.membership.ready;
  }
  get state() {
    return this.membership.state;
  }
  /** Why the room was refused. */
  get error() {
    return this.membership.error;
  }
  /** Who is in the room now, this user included. A new array at every change. */
  get participants() {
    return this.membership.participants.value;
  }
  /** `participants`, and its changes. */
  get roster() {
    return this.membership.participants;
  }
  /** Hears an event of this room, until unsubscribed, aborted, or the room is left. */
  on(event, listener, options) {
    return this.open ? this.listeners.on(event, listener, options) : () => {
    };
  }
  /**
   * Writes to the room's chat, once, whatever happens to the connection meanwhile: repeats carry the
   * same `clientId` (made up here unless given), and the relay knows it for 10 minutes.
   * Rejects with a RelayError.
   */
  async chat(content, options = {}) {
    const { type, clientId = uniqueId(), ...rest } = options;
    const data = { roomId: this.id, content, clientId, ...type && { type } };
    const answer = await this.relay.request("chat:message", data, rest);
    return { ...answer, clientId };
  }
  /**
   * Gives a gift; the application decides. Repeats, those after a reconnect included, carry the same
   * `transactionId` (made up here unless given) and charge once.
   * Rejects with a RelayError; its `details.transactionId` is the one to try again with after
   * `TIMEOUT` or `UPSTREAM_UNAVAILABLE`, when the outcome is unknown.
   */
  async gift(gift, options = {}) {
    const { transactionId = uniqueId() } = gift;
    try {
      const data = { roomId: this.id, ...gift, transactionId };
      return await this.relay.request("gift:send", data, options);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      const details = Array.isArray(error.details) ? { violations: error.details } : error.details;
      throw new RelayError(error.code, error.message, error.retryAfter, {
        transactionId,
        ...details
      });
    }
  }
  /** Ends this handle and its subscriptions. */
  leave() {
    if (!this.open) return;
    this.open = false;
    this.listeners.clear();
    this.release(this);
  }
  /** Called by its membership. */
  receive(frame) {
    this.listeners.emit(frame.event, frame);
  }
};

// client/web/src/relay.ts
var Relay = class {
  /** Use `connect`. */
  constructor(url, options, makeLink) {
    this.url = url;
    this.options = options;
    this.place = options.cursor ?? void 0;
    this.commands = new Commands((frame) => this.up && this.link.send(frame));
    const storage = options.persist === true ? sessionStorageIfAny() : options.persist;
    if (storage) {
      this.keeper = new CursorKeeper(
        storage,
        `msab:cursor:${url}`,
        () => this.hello && this.place ? { user: this.hello.userId, cursor: this.place } : void 0
      );
    }
    this.link = makeLink({
      resume: (user) => this.resume(user),
      receive: (frame) => this.receive(frame),
      lost: (how) => this.lost(how),
      ended: (how) => {
        this.stop();
        this.tell("session:closed", how);
      },
      failed: (error) => this.tell("connect_error", error),
      pageChanged: () => {
        if (!this.up && this.status.value !== "closed") this.away();
      }
    });
    for (const room of options.rooms ?? []) this.join(room);
    if (options.open ?? true) this.open();
  }
  url;
  options;
  status = new Value("closed");
  listeners = new Listeners();
  anyListeners = new Listeners();
  memberships = /* @__PURE__ */ new Map();
  commands;
  link;
  keeper;
  hello;
  place;
  up = false;
  hidden = false;
  wasLive = false;
  /** `connecting`, `live`, `recovering`, `offline` or `closed`, and its changes. */
  get state() {
    return this.status;
  }
  /** The place reached in the stream: all that came before it was heard. */
  get cursor() {
    return this.place;
  }
  /** The user of the token, once connected. */
  get userId() {
    return this.hello?.userId;
  }
  /** This connection's id, for `X-Socket-ID`; `undefined` while there is none. */
  get connectionId() {
    return this.up ? this.hello?.connectionId : void 0;
  }
  /**
   * Hears an event until unsubscribed (by what is returned) or aborted. Each event is heard once, in
   * the relay's order, those of all joined rooms included.
   */
  on(event, listener, options) {
    return this.listeners.on(event, listener, options);
  }
  /** Hears every event of the relay, whatever its name. */
  onAny(listener, options) {
    return this.anyListeners.on("", (_, frame) => listener(frame), options);
  }
  /**
   * Joins a room, now or as soon as there is a connection, and stays in it across reconnects until
   * `leave()`. `42` and `"42"` are one room; joining twice is two handles of one membership.
   */
  join(id) {
    const name = String(id);
    let membership = this.memberships.get(name);
    if (!membership) {
      this.memberships.set(name, membership = new Membership(name));
      this.enter(membership);
    }
    const room = new Room(this, membership, (left) => this.release(membership, left));
    membership.rooms.add(room);
    return room;
  }
  /**
   * Sends a command and waits for its answer, through reconnects if it may be repeated. Rejects with a
   * RelayError, or with the signal's reason. Rooms have `chat` and `gift`, which say more.
   */
  request(command, data, options = {}) {
    if (this.status.value === "closed") {
      return Promise.reject(new RelayError("CLOSED", `${command}: the relay is closed`));
    }
    const { clientId, transactionId } = data;
    const once = command === "chat:message" ? clientId : command === "gift:send" ? transactionId : "same";
    const { timeout = this.options.timeout ?? 1e4, signal } = options;
    const answer = this.commands.request(command, data, !!once, { timeout, signal });
    answer.catch((error) => {
      if (error?.code === "TIMEOUT" && this.up) this.link.check();
    });
    return answer;
  }
  /** Connects, if closed. Goes on where it was. */
  open() {
    if (this.status.value !== "closed") return;
    this.wasLive = this.hidden = false;
    for (const membership of this.memberships.values()) if (!membership.settled) membership.joining();
    this.away();
    this.link.open();
  }
  /** Disconnects and stays so until `open()`. Commands under way are rejected. */
  close() {
    this.link.close();
    this.stop();
  }
  stop() {
    this.up = false;
    this.commands.lost(false);
    this.commands.close();
    for (const membership of this.memberships.values()) membership.closed();
    this.keeper?.flush();
    this.status.set("closed");
  }
  resume(user) {
    const known = this.hello?.userId;
    const other = known !== void 0 && user !== void 0 && user !== known;
    const cursor = other ? void 0 : this.place ?? this.keeper?.load(user);
    const rooms = [...this.memberships.values()].filter((membership) => membership.settled || !this.hello).map((membership) => membership.id);
    return { cursor, rooms };
  }
  receive(frame) {
    if ("reply" in frame) return this.commands.reply(frame);
    if (!("data" in frame)) return this.mark(frame);
    if (frame.event === "welcome") return this.welcome(frame.data);
    const { cursor } = frame;
    if (cursor !== void 0) {
      if (!isAfter(cursor, this.place)) return;
      this.reached(cursor);
    }
    this.deliver(frame);
  }
  deliver(frame) {
    if (frame.room !== void 0) this.memberships.get(frame.room)?.receive(frame);
    this.listeners.emit(frame.event, frame);
    this.anyListeners.emit("", frame);
  }
  mark({ event, cursor }) {
    if (isAfter(cursor, this.place)) this.reached(cursor);
    if (event === "live") {
      this.wasLive = true;
      this.status.set("live");
    }
  }
  reached(cursor) {
    this.place = cursor;
    this.keeper?.touch();
  }
  welcome(welcome) {
    const before = this.hello;
    const since = this.place;
    this.hello = welcome;
    this.up = true;
    this.hidden = false;
    this.reached(welcome.recovered && this.place || welcome.cursor);
    if (welcome.missed > 0) this.status.set("recovering");
    const { gap, cursor } = welcome;
    if (before && before.userId !== welcome.userId) {
      this.tell("gap", { reason: "user", since: void 0, cursor });
    } else if (welcome.recovered === false) {
      this.tell("gap", { reason: gap ?? "expired", since, cursor });
    }
    if (!this.up) return;
    this.enterRooms(welcome, since);
    this.commands.flush();
    this.tell("welcome", welcome);
  }
  enterRooms({ rooms, recovered, cursor }, since) {
    for (const membership of this.memberships.values()) {
      const resumed = rooms.includes(membership.id);
      if (membership.settled && resumed && recovered) continue;
      const missing = membership.settled && recovered;
      this.enter(membership);
      if (missing) this.tell("gap", { reason: "room", room: membership.id, since, cursor });
    }
    for (const room of rooms) if (!this.memberships.has(room)) this.sendLeave(room);
  }
  lost(how) {
    this.up = false;
    this.hidden = how.retryIn === void 0;
    this.away();
    this.commands.lost(how.code === 1009);
    if (this.hidden) this.keeper?.flush();
    this.tell("disconnect", how);
  }
  /** No connection, for now. */
  away() {
    const offline = this.hidden || isOffline();
    this.status.set(offline ? "offline" : this.wasLive ? "recovering" : "connecting");
  }
  enter(membership) {
    clearTimeout(membership.retry);
    membership.joining();
    if (!this.up) return;
    const current = this.hello;
    const { id } = membership;
    this.commands.request("room:join", { roomId: id }, false, { timeout: 6e4 }).then(
      (answer) => {
        if (this.memberships.get(id) === membership) membership.joined(answer);
      },
      (error) => {
        if (this.memberships.get(id) !== membership || this.hello !== current || !this.up) return;
        const passing = ["RATE_LIMITED", "UPSTREAM_UNAVAILABLE", "INTERNAL", "TIMEOUT"];
        if (passing.includes(error.code) && (error.code !== "RATE_LIMITED" || error.retryAfter)) {
          const wait = (error.retryAfter ?? 2e3) * (1 + Math.random());
          membership.retry = setTimeout(() => this.enter(membership), wait);
        } else {
          membership.refused(error);
        }
      }
    );
  }
  release(membership, room) {
    membership.rooms.delete(room);
    setTimeout(() => {
      if (membership.rooms.size || this.memberships.get(membership.id) !== membership) return;
      this.memberships.delete(membership.id);
      if (membership.state.value !== "refused") this.sendLeave(membership.id);
      membership.left();
    });
  }
  sendLeave(roomId) {
    if (this.up) this.commands.request("room:leave", { roomId }, false, { timeout: 6e4 }).catch(() => {
    });
  }
  tell(event, data) {
    this.listeners.emit(event, { event, data });
  }
};
function sessionStorageIfAny() {
  try {
    return globalThis.sessionStorage;
  } catch {
    return void 0;
  }
}

// client/web/src/index.ts
function connect(url, options) {
  return new Relay(url, options, (user) => new Connection(url, options, user));
}
export {
  CLOSE_DRAINING,
  CLOSE_NO_PONG,
  CLOSE_ORIGIN_NOT_ALLOWED,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_REMOVED,
  CLOSE_REVOKED,
  CLOSE_SLOW_CONSUMER,
  CLOSE_TOKEN_EXPIRED,
  CLOSE_TOO_MANY_CONNECTIONS,
  CLOSE_UNAUTHENTICATED,
  RelayError,
  connect,
  contractVersion
};
