// The audio room as one user's app shows it: who sits where, who speaks, gifts that fly.

import { animate, h, icon } from "./dom.js";
import { readable } from "./state.js";

const SEATS = 4;
const SILENCE_AFTER = 4000; // ms; the event is ephemeral, so the one that says "silence" may be lost
export const GIFTS = new Map([
  [7, { name: "Rose", picture: "🌹" }],
  [8, { name: "Firework", picture: "🎆" }],
  [9, { name: "Crown", picture: "👑" }],
]);
export const giftOf = (id) => GIFTS.get(id) ?? { name: `Gift ${id}`, picture: "🎁" };

export class Stage {
  #participants = [];
  #seats = new Map(); // user id → its seat's element
  #quiet = 0; // timer

  /** `hueOf(id)` gives a user's colour; `onDoor()` runs when the user wants in or out. */
  constructor({ room, user, hueOf, onDoor }) {
    this.user = user;
    this.hueOf = hueOf;
    this.level = h("strong.level");
    this.xp = h("span.xp");
    this.door = h("button.quiet", { type: "button", on: { click: onDoor } });
    this.list = h("ul.seats", { aria: { label: `Seats of room ${room}` } });
    this.banner = h("p.banner", { hidden: true });
    this.outside = h(
      "p.outside",
      {},
      "Not in a room. Private events arrive all the same: the connection belongs to the app, not to the room.",
    );
    this.flights = h("div.flights", { aria: { hidden: "true" } });
    this.root = h(
      "div.stage",
      {},
      h(
        "div.stage-head",
        {},
        icon("mic"),
        h("div", {}, h("strong", {}, `Room ${room}`), h("p", {}, this.level, this.xp)),
        this.door,
      ),
      this.list,
      this.outside,
      this.banner,
      this.flights,
    );
    this.seat(null);
  }

  /** Who is in the room; null: this user isn't. */
  seat(participants) {
    const inside = participants !== null;
    this.#participants = participants ?? [];
    this.root.classList.toggle("is-outside", !inside);
    this.outside.hidden = inside;
    this.door.textContent = inside ? "Leave" : "Enter";
    this.door.setAttribute("aria-label", inside ? "Leave the room" : "Enter the room");
    this.#seats.clear();
    const taken = this.#participants.map((participant) => {
      const seat = h(
        "li.seat",
        { data: { hue: this.hueOf(participant.id), user: participant.id } },
        h("span.face", { aria: { hidden: "true" } }, initial(participant.name)),
        h("span.seat-name", {}, participant.id === this.user ? "You" : participant.name),
      );
      this.#seats.set(participant.id, seat);
      return seat;
    });
    const free = Array.from({ length: Math.max(0, SEATS - taken.length) }, () =>
      h(
        "li.seat.is-free",
        { aria: { hidden: "true" } },
        h("span.face"),
        h("span.seat-name", {}, "·"),
      ),
    );
    this.list.replaceChildren(...(inside ? [...taken, ...free] : []));
  }

  nameOf(id) {
    return this.#participants.find((one) => one.id === Number(id))?.name;
  }

  get others() {
    return this.#participants.filter(({ id }) => id !== this.user);
  }

  showLevel(room) {
    this.level.textContent = `Level ${room.level}`;
    this.xp.textContent = `${readable(room.xp)} XP`;
  }

  levelUp(room) {
    this.showLevel(room);
    this.banner.hidden = false;
    this.banner.textContent = `The room reached level ${room.level}`;
    animate(
      this.banner,
      [
        { opacity: 0, translate: "0 8px" },
        { opacity: 1, translate: "0 0" },
      ],
      { duration: 350, easing: "ease-out" },
    );
    animate(this.level, [{ scale: 1 }, { scale: 1.25 }, { scale: 1 }], {
      duration: 600,
      easing: "ease-out",
    });
    clearTimeout(this.bannerTimer);
    this.bannerTimer = setTimeout(() => (this.banner.hidden = true), 6000);
  }

  speaking(ids) {
    const speakers = new Set(ids.map(Number));
    for (const [id, seat] of this.#seats) {
      const speaks = speakers.has(id);
      seat.classList.toggle("is-speaking", speaks);
      seat.setAttribute(
        "aria-label",
        `${seat.lastElementChild.textContent}${speaks ? ", speaking" : ""}`,
      );
    }
    clearTimeout(this.#quiet);
    if (speakers.size > 0) this.#quiet = setTimeout(() => this.speaking([]), SILENCE_AFTER);
  }

  /** Flies a gift from its sender's seat to each recipient's. */
  gift({ senderId, giftId, recipientIds, quantity }) {
    const { picture } = giftOf(giftId);
    const from = this.#centre(senderId);
    for (const id of recipientIds) {
      const to = this.#centre(id);
      const gift = h("span.flying", {}, picture, quantity > 1 ? h("b", {}, `×${quantity}`) : null);
      gift.style.left = `${to.x}px`;
      gift.style.top = `${to.y}px`;
      this.flights.append(gift);
      const start = `${from.x - to.x}px ${from.y - to.y}px`;
      const flight = animate(
        gift,
        [
          { translate: start, scale: 0.4, opacity: 0 },
          { translate: start, scale: 1.1, opacity: 1, offset: 0.2 },
          { translate: "0 0", scale: 1.5, opacity: 1, offset: 0.7 },
          { translate: "0 -14px", scale: 1, opacity: 0 },
        ],
        { duration: 1900, easing: "cubic-bezier(.3,.1,.2,1)" },
      );
      if (flight) flight.onfinish = () => gift.remove();
      else setTimeout(() => gift.remove(), 2500); // shown in place, without motion
      this.#seats.get(id)?.classList.add("is-gifted");
      setTimeout(() => this.#seats.get(id)?.classList.remove("is-gifted"), 2500);
    }
  }

  #centre(id) {
    const face = (this.#seats.get(Number(id)) ?? this.list).firstElementChild ?? this.list;
    const box = face.getBoundingClientRect();
    const home = this.root.getBoundingClientRect();
    return { x: box.left + box.width / 2 - home.left, y: box.top + box.height / 2 - home.top };
  }
}

export const initial = (name) => [...name][0]?.toUpperCase() ?? "?";
