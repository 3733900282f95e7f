// One user's app, as it looks. Knows no relay: Person tells it what happened.

import { animate, calm, h, icon, prepend } from "./dom.js";
import { GIFTS, Stage, initial } from "./stage.js";
import { WALLET, readable } from "./state.js";

const WALLET_LOOK = {
  coins: ["coin", "Coins"],
  diamonds: ["diamond", "Diamonds"],
  wealth_xp: ["crown", "Wealth XP"],
  charm_xp: ["heart", "Charm XP"],
};
const SHOWN = 30; // notices, chat lines

const replayedTag = (...content) =>
  h(
    "span.replayed",
    { title: "It happened while this app was away, and was replayed" },
    ...(content.length > 0 ? content : ["replayed"]),
  );
// The same where there is little room.
const replayedMark = () =>
  replayedTag(
    h("span", { aria: { hidden: "true" } }, "↺"),
    h("span.visually-hidden", {}, "replayed"),
  );

export class Card {
  /** `actions`: { network(on), restart(), door(), chat(text), gift(order), pretend(order) } */
  constructor({ user, room, hue, hueOf, actions }) {
    this.user = user;
    const title = `person-${user.id}`;
    this.state = h("span.state", { role: "status" });
    this.network = h(
      "button.switch",
      {
        type: "button",
        role: "switch",
        aria: { checked: "true" },
        on: { click: () => actions.network(this.network.getAttribute("aria-checked") !== "true") },
      },
      h("span.knob"),
      "Network",
    );
    this.stage = new Stage({ room, user: user.id, hueOf, onDoor: actions.door });
    this.badges = h("ul.badges", { aria: { label: "Badges" } });
    this.inbox = h("ul.inbox", { aria: { label: "Inbox" }, tabIndex: 0 });
    this.chat = h("ol.chat", { aria: { label: "Chat", live: "off" }, tabIndex: 0 });
    this.cursor = h("code.cursor", {
      title: "The cursor: this app's place in the relay's one sequence. All it needs to come back.",
    });
    this.story = h("p.story");
    const restart = h(
      "button.quiet",
      {
        type: "button",
        title:
          "Closes the app and starts it again: bootstrap, then something happens, then it connects with the bootstrap's cursor",
        on: { click: actions.restart },
      },
      icon("refresh"),
      "Restart app",
    );
    this.talk = h("section.box", {}, h("h3", {}, "Room chat"), this.chat, this.#compose(actions));
    this.root = h(
      "article.person",
      { data: { hue, user: user.id }, aria: { labelledby: title } },
      h(
        "header.person-head",
        {},
        h("span.face", { aria: { hidden: "true" } }, initial(user.name)),
        h(
          "div.who",
          {},
          h("h2", { id: title }, user.name, h("span.id", {}, ` user ${user.id}`)),
          this.state,
        ),
        this.network,
      ),
      this.#wallet(),
      this.stage.root,
      h("section.shelf", {}, h("h3", {}, "Badges"), this.badges),
      h("section.box.grows", {}, h("h3", {}, "Inbox"), this.inbox),
      this.talk,
      h(
        "footer.person-foot",
        {},
        h("div.foot-line", {}, h("span.foot-label", {}, "cursor"), this.cursor, restart),
        this.story,
      ),
    );
  }

  #wallet() {
    this.values = {};
    return h(
      "dl.wallet",
      {},
      ...WALLET.map((field) => {
        const [picture, label] = WALLET_LOOK[field];
        this.values[field] = h("dd", { data: { field } });
        return h("div", {}, h("dt", {}, icon(picture), label), this.values[field]);
      }),
    );
  }

  #compose(actions) {
    const input = h("input", {
      type: "text",
      maxLength: 500,
      placeholder: "Say something",
      autocomplete: "off",
      aria: { label: `Message of ${this.user.name}` },
    });
    this.said = h("p.said", { role: "status" });
    const form = h(
      "form.say",
      {
        on: {
          submit: (event) => {
            event.preventDefault();
            if (input.value.trim() === "") return;
            actions.chat(input.value);
            input.value = "";
          },
        },
      },
      input,
      h(
        "button.icon-button",
        { type: "submit", title: "Send", aria: { label: "Send message" } },
        icon("send"),
      ),
    );
    this.recipient = h("select", { aria: { label: "Recipient" } });
    const choice = h(
      "select",
      { aria: { label: "Gift" } },
      ...[...GIFTS].map(([id, { name, picture }]) =>
        h("option", { value: String(id) }, `${picture} ${name}`),
      ),
    );
    const quantity = h("input", {
      type: "number",
      min: 1,
      max: 9999,
      value: "1",
      aria: { label: "Quantity" },
    });
    this.giftMenu = h(
      "details.gift-menu",
      {},
      h("summary", {}, icon("gift"), "Give a gift"),
      h(
        "form",
        {
          on: {
            submit: (event) => {
              event.preventDefault();
              actions.gift({
                giftId: Number(choice.value),
                recipientId: Number(this.recipient.value),
                quantity: Number(quantity.value),
              });
              this.giftMenu.open = false;
            },
          },
        },
        h("span", {}, "Gift"),
        choice,
        quantity,
        h("span", {}, "To"),
        this.recipient,
        h("button", { type: "submit" }, "Send"),
      ),
    );
    return h("div.compose", {}, form, this.giftMenu, this.said);
  }

  /** The whole of an app's state: after a bootstrap. */
  show(state) {
    for (const field of WALLET) this.values[field].textContent = readable(state.wallet[field]);
    this.shown = { ...state.wallet };
    this.stage.showLevel(state.room);
    this.showBadges(state.badges);
    this.inbox.replaceChildren(...state.inbox.map((notice) => this.#notice(notice, false)));
  }

  showState(state) {
    this.state.textContent = state;
    this.state.dataset.state = state;
    this.root.dataset.state = state;
  }

  showNetwork(on) {
    this.network.setAttribute("aria-checked", String(on));
  }

  /** Counts to the new balance, so that the eye sees that something changed, and by how much. */
  showWallet(wallet, replayed) {
    for (const field of WALLET) {
      const [before, after] = [this.shown[field], wallet[field]];
      if (before === after) continue;
      this.shown[field] = after;
      const value = this.values[field];
      this.#count(value, before, after);
      const change = difference(before, after);
      const note = h("dd.change", {}, change, replayed ? replayedMark() : null);
      value.parentElement.querySelector(".change")?.remove();
      value.parentElement.append(note);
      setTimeout(() => note.remove(), 4000);
    }
  }

  #count(value, before, after) {
    clearInterval(value.ticking);
    const [from, to] = [Number(before), Number(after)];
    // Beyond what a double counts exactly, or where motion isn't wanted, the new value stands at once.
    if (calm() || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
      value.textContent = readable(after);
      return;
    }
    const [start, lasts] = [performance.now(), 700];
    value.ticking = setInterval(() => {
      const part = Math.min(1, (performance.now() - start) / lasts);
      const eased = 1 - (1 - part) ** 3;
      value.textContent =
        part === 1 ? readable(after) : readable(String(Math.round(from + (to - from) * eased)));
      if (part === 1) clearInterval(value.ticking);
    }, 33);
    animate(value, [{ color: "var(--accent)" }, {}], { duration: 1400 });
  }

  showBadges(badges) {
    this.badges.replaceChildren(
      ...(badges.length === 0
        ? [h("li.none", {}, "none yet")]
        : badges.map(({ name, category }) =>
            h(
              "li.badge",
              { data: { category }, title: `${name} (${category})` },
              icon("medal"),
              h("span", {}, name),
            ),
          )),
    );
  }

  badgeEarned() {
    const newest = this.badges.lastElementChild;
    if (newest)
      animate(
        newest,
        [
          { scale: 0.5, opacity: 0 },
          { scale: 1.12, opacity: 1, offset: 0.6 },
          { scale: 1, opacity: 1 },
        ],
        { duration: 600, easing: "ease-out" },
      );
  }

  notice(notice, replayed) {
    const item = this.#notice(notice, replayed);
    this.inbox.querySelector(`[data-key="${CSS.escape(notice.key)}"]`)?.remove();
    prepend(this.inbox, item, SHOWN);
    arrive(item);
  }

  #notice({ event, key, icon: picture, title, text }, replayed) {
    return h(
      "li.notice",
      { data: { event, key } },
      icon(picture),
      h(
        "div",
        event === "gift:error" ? { role: "alert" } : {},
        h("strong", {}, title),
        text ? h("span", {}, text) : null,
        h("code", {}, event),
      ),
      replayed ? replayedTag() : null,
    );
  }

  line(who, text, { hue, replayed, own } = {}) {
    const item = h(
      "li",
      { className: own ? "own" : "", data: { hue } },
      who ? h("b", {}, who) : null,
      h("span", {}, text),
      replayed ? replayedTag() : null,
    );
    if (!who) item.classList.add("aside");
    this.chat.append(item);
    while (this.chat.childElementCount > SHOWN) this.chat.firstElementChild.remove();
    this.chat.scrollTop = this.chat.scrollHeight;
    arrive(item);
  }

  /** Beside the message field: what the relay said to a command; `offer` is a button to go on with. */
  say(text, offer) {
    this.said.replaceChildren(text);
    if (offer) {
      this.said.append(
        " ",
        h(
          "button.quiet",
          {
            type: "button",
            on: {
              click: () => {
                this.said.replaceChildren();
                offer.run();
              },
            },
          },
          offer.label,
        ),
      );
    }
  }

  showRoom(participants) {
    this.stage.seat(participants);
    this.talk.hidden = participants === null;
    const chosen = this.recipient.value;
    this.recipient.replaceChildren(
      ...this.stage.others.map(({ id, name }) =>
        h("option", { value: String(id), selected: String(id) === chosen }, name),
      ),
    );
    this.giftMenu.hidden = this.stage.others.length === 0;
  }

  showCursor(cursor) {
    if (cursor === this.cursor.dataset.cursor) return;
    const [epoch, sequence] = cursor.split("-");
    const moved = Boolean(this.cursor.dataset.cursor);
    this.cursor.dataset.cursor = cursor;
    this.cursor.replaceChildren(h("span", {}, `${epoch}-`), h("b", {}, sequence));
    if (moved)
      animate(
        this.cursor.lastElementChild,
        [{ color: "var(--accent)", scale: 1.25 }, { scale: 1 }],
        { duration: 500, easing: "ease-out" },
      );
  }

  tell(story) {
    this.story.textContent = story;
  }
}

function arrive(element) {
  animate(
    element,
    [
      { opacity: 0, translate: "0 -6px" },
      { opacity: 1, translate: "0 0" },
    ],
    { duration: 260, easing: "ease-out" },
  );
}

function difference(before, after) {
  const change = Number(after) - Number(before);
  return Number.isSafeInteger(change)
    ? `${change > 0 ? "+" : "−"}${readable(String(Math.abs(change)))}`
    : "changed";
}
