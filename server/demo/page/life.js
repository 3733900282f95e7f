// A room with some life in it: somebody speaks, now and then something happens.

import { h } from "./dom.js";

const TURN = 700; // ms

export class Life {
  #timer = 0;
  #turn = 0;

  /** `emit(request)` takes an EmitEvent request. */
  constructor(laravel, emit) {
    this.laravel = laravel;
    this.emit = emit;
    const look = { type: "button", role: "switch", aria: { checked: "false" } };
    this.root = h(
      "button.switch",
      { ...look, on: { click: () => this.#toggle() } },
      h("span.knob"),
      "Let the room live",
    );
  }

  #toggle() {
    const on = this.#timer === 0;
    this.root.setAttribute("aria-checked", String(on));
    clearInterval(this.#timer);
    this.#timer = on ? setInterval(() => this.#live(), TURN) : 0;
  }

  #live() {
    const turn = (this.#turn += 1);
    const { users, room } = this.laravel;
    const [a, b] = users;
    this.#speak(room, [a, b][Math.floor(turn / 4) % 2]);
    if (turn % 5 === 1) {
      const coins = `${1000 + Math.floor(Math.random() * 4000)}`;
      const balance = { user_id: users[turn % 3].id, coins, charm_xp: `${3000 + turn * 10}` };
      this.emit({ balance_updated: balance });
    }
    if (turn % 12 === 8) this.#give(room, a, b, turn);
  }

  #speak(roomId, { id }) {
    const userId = String(id);
    this.emit({
      speaker_active: { roomId, userId, activeSpeakers: [userId], timestamp: Date.now() },
    });
  }

  #give(roomId, from, to, turn) {
    this.emit({
      gift_received: {
        senderId: from.id,
        roomId,
        giftId: 7 + (turn % 3),
        recipientIds: [to.id],
        recipientId: to.id,
        quantity: 1 + (turn % 4),
        transactionId: `live-${Date.now()}`,
      },
    });
  }
}
