// One user's app: bootstraps, connects, and shows what reaches it.

import { Card } from "./card.js";
import { connect } from "./client.js";
import { Network } from "./network.js";
import { giftOf } from "./stage.js";
import { apply, noticeOf } from "./state.js";

export class Person {
  #relay = null;
  #room = null; // the client's handle of it, while this user is in
  #state = null;
  #wantsRoom;
  #starts = 0;
  #transactions = 0;

  /**
   * `between(person)` makes something happen between bootstrap and connection; `onCursor(cursor)` is
   * told each place that is reached, `onEvent()` that an event came.
   */
  constructor({ user, hue, hueOf, laravel, latency, inRoom, between, onCursor, onEvent }) {
    this.user = user;
    this.hueOf = hueOf;
    this.laravel = laravel;
    this.latency = latency;
    this.between = between;
    this.onCursor = onCursor;
    this.onEvent = onEvent;
    this.network = new Network();
    this.#wantsRoom = inRoom;
    const actions = {
      network: (on) => this.#switch(on),
      restart: () => this.start(this.between),
      door: () => this.#door(),
      chat: (text) => this.#chat(text),
      gift: (order) => this.#gift(order),
    };
    this.card = new Card({ user, room: laravel.room, hue, hueOf, actions });
    this.card.showRoom(null);
    this.card.showState("closed");
  }

  /**
   * Starts the app, or starts it again: the bootstrap response first, then a connection from its
   * cursor, at once and for as long as the app runs. Rooms come and go on it.
   */
  async start(between) {
    const mine = ++this.#starts; // a later start makes this one void
    this.#relay?.close();
    this.#relay = this.#room = null;
    this.card.showRoom(null);
    this.#showState("connecting");
    let bootstrap;
    try {
      bootstrap = await this.laravel.bootstrap(this.user.id);
      if (between) await between(this);
    } catch (error) {
      if (mine !== this.#starts) return;
      this.card.showState("closed");
      this.card.tell(`No bootstrap: ${error.message}. Restart the app to try again`);
      return;
    }
    if (mine !== this.#starts) return;
    this.#state = bootstrap.state;
    this.card.show(bootstrap.state);
    this.card.showCursor(bootstrap.cursor);
    this.#connect(bootstrap.cursor);
  }

  #connect(cursor) {
    const relay = connect(this.laravel.ws, {
      token: () => this.laravel.token(this.user.id),
      cursor,
      WebSocket: this.network.WebSocket,
    });
    this.#relay = relay;
    let first = true;
    relay.state.subscribe((state) => {
      this.#showState(state);
      if (state === "live") this.#showCursor();
    });
    relay.on("disconnect", () =>
      this.card.tell(
        `Cut off at ${place(relay.cursor)}. What happens now waits in the relay's log`,
      ),
    );
    relay.on("welcome", (welcome) => {
      this.#showCursor();
      this.card.tell(storyOf(welcome, first));
      first = false;
    });
    relay.on("gap", () => this.#refetch());
    relay.on("session:closed", ({ code, reason }) =>
      this.card.tell(`Closed by the relay: ${code} ${reason}${CLOSE_HINTS[code] ?? ""}`),
    );
    relay.on("connect_error", (error) => this.card.tell(`No new token: ${error}`));
    relay.onAny((frame) => this.#event(frame));
    if (this.#wantsRoom) this.#enter();
  }

  // The browser tells of its own network only; this app has a switch of its own.
  #showState(state) {
    const away = state === "recovering" || state === "connecting";
    this.card.showState(!this.network.on && away ? "offline" : state);
  }

  #showCursor() {
    const { cursor } = this.#relay;
    if (!cursor) return;
    this.card.showCursor(cursor);
    this.onCursor(cursor);
  }

  // After a gap the state is fetched as at the app's start; what the relay sends is newer.
  async #refetch() {
    try {
      const { state } = await this.laravel.bootstrap(this.user.id);
      this.#state = state;
      this.card.show(state);
    } catch (error) {
      this.card.tell(`The state could not be fetched again: ${error.message}`);
    }
  }

  #event({ event, data, cursor }) {
    const at = performance.now();
    const replayed = this.#relay.state.value !== "live";
    if (!replayed) this.latency.received(cursor ?? `${event}/${data.timestamp}`, this.user.id, at);
    this.#showCursor();
    this.onEvent();
    const before = this.#state.badges.length;
    apply(this.#state, event, data);
    this.laravel.record(this.user.id, event, data);
    const notice = noticeOf(event, data);
    if (notice) this.card.notice(notice, replayed);
    switch (event) {
      case "balance.updated":
        return this.card.showWallet(this.#state.wallet, replayed);
      case "badge.earned":
        this.card.showBadges(this.#state.badges);
        if (this.#state.badges.length > before) this.card.badgeEarned();
        return;
      case "room.level_up":
        this.card.stage.levelUp(this.#state.room);
        return this.card.line(null, `The room reached level ${data.new_level}`, { replayed });
      case "speaker:active":
        return this.card.stage.speaking(data.activeSpeakers);
      case "gift:received":
        return this.#giftSeen(data, replayed);
      case "chat:message":
        return this.card.line(data.userName, data.content, {
          hue: this.hueOf(data.userId),
          own: data.userId === this.user.id,
          replayed,
        });
      case "room:userJoined":
        return this.card.line(null, `${data.user.name} came in`, { replayed });
      case "room:userLeft":
        return this.card.line(null, `${this.#nameOf(data.userId)} left`, { replayed });
    }
  }

  #nameOf(id) {
    return this.card.stage.nameOf(id) ?? this.laravel.nameOf(id);
  }

  #giftSeen(gift, replayed) {
    this.card.stage.gift(gift);
    const { name, picture } = giftOf(gift.giftId);
    const to = gift.recipientIds.map((id) => this.#nameOf(id)).join(", ");
    this.card.line(
      null,
      `${picture} ${this.#nameOf(gift.senderId)} gave ${to} ${gift.quantity} × ${name}`,
      { replayed },
    );
  }

  #switch(on) {
    this.network.on = on;
    this.card.showNetwork(on);
    if (this.#relay) this.#showState(this.#relay.state.value);
    // What a browser does when its network is back; the client doesn't wait for its next attempt then.
    if (on) window.dispatchEvent(new Event("online"));
  }

  #door() {
    this.#wantsRoom = !this.#wantsRoom;
    if (this.#wantsRoom) return this.#relay && this.#enter(); // else once there is one
    this.#room?.leave();
    this.#room = null;
    this.card.showRoom(null);
  }

  #enter() {
    const room = this.#relay.join(this.laravel.room);
    this.#room = room;
    room.roster.subscribe((participants) => {
      if (this.#room === room && participants.length > 0) this.card.showRoom(participants);
    });
    room.ready.catch((error) => {
      if (this.#room === room) this.card.say(`Not let in: ${error.code}. ${error.message}`);
    });
  }

  async #chat(text) {
    try {
      await this.#room.chat(text);
      this.card.say("");
    } catch (error) {
      this.card.say(`Your message: ${error.code}. ${error.message}`);
    }
  }

  async #gift(order) {
    this.#transactions += 1;
    const transactionId = `demo-${Date.now()}-${this.#transactions}`;
    const gift = {
      ...order,
      recipientIds: [order.recipientId],
      senderId: this.user.id,
      roomId: this.laravel.room,
      transactionId,
    };
    try {
      await this.#room.gift({ ...order, transactionId });
      this.#giftSeen(gift, false); // the relay doesn't tell the connection that gave it
      this.card.say("");
    } catch (error) {
      const alone = error.code === "UPSTREAM_UNAVAILABLE";
      // The application's own word, where it has spoken.
      const { code = "Error", reason = error.message } =
        error.code === "REJECTED" ? error.details : error;
      const why = alone
        ? "No application answers that could decide on gifts (laravel.webhook_url)."
        : `${code}: ${reason}`;
      this.card.say(
        why,
        alone && { label: "Emit gift:received in its place", run: () => this.#pretend(gift) },
      );
    }
  }

  // What the application would do: the event, by the same way as every other.
  #pretend({ senderId, roomId, giftId, recipientIds, recipientId, quantity, transactionId }) {
    const payload = {
      senderId,
      roomId,
      giftId,
      recipientIds,
      recipientId,
      quantity,
      transactionId,
    };
    return this.laravel.emit(
      JSON.stringify({ event_id: `gift:${senderId}:${transactionId}`, gift_received: payload }),
    );
  }
}

// What to look at, where the relay's setting is the likely reason.
const CLOSE_HINTS = { 4503: ": add this page's origin to ws.allowed_origins" };

const place = (cursor) => cursor.split("-")[1];

/** The last (re)connection in a sentence. */
function storyOf({ cursor, recovered, gap, missed }, first) {
  const from = place(cursor);
  if (!recovered)
    return `A gap (${gap}): what was missed is gone, so the state was fetched again, at ${from}`;
  const events = `${missed} event${missed === 1 ? "" : "s"}`;
  if (first) {
    const between =
      missed === 0
        ? "nothing happened before it connected"
        : `${events} happened before it connected: replayed`;
    return `Bootstrap said ${from}; ${between}`;
  }
  return missed === 0
    ? `Back, from ${from}: nothing was missed`
    : `Back, from ${from}: ${events} missed, and replayed in order`;
}
