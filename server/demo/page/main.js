// The demo page: three apps, the application that emits to them, and what it all costs in time.

import { calm, h } from "./dom.js";
import { Laravel } from "./laravel.js";
import { Latency } from "./latency.js";
import { Panel } from "./panel.js";
import { Person } from "./person.js";

const byId = (id) => document.getElementById(id);

async function start() {
  const laravel = await Laravel.start();
  const contract = await laravel.contract();
  const latency = new Latency(byId("latency"), laravel.users);
  const hues = new Map(laravel.users.map(({ id }, hue) => [id, hue]));

  const head = h("code", {}, "…");
  byId("facts").append("contract ", h("code", {}, contract.info.version), " log at ", head);
  const onCursor = (cursor) => {
    const [, sequence] = cursor.split("-");
    const [epoch, highest] = head.textContent.split("-");
    if (cursor.startsWith(`${epoch}-`) && BigInt(sequence) < BigInt(highest)) return;
    head.textContent = cursor;
  };

  // What takes place while an app starts: after its bootstrap, before its connection.
  const between = async ({ user }) => {
    const reward = {
      id: Date.now(),
      type: "coins",
      amount: "5",
      description: "Given after the bootstrap, before the connection",
    };
    await laravel.emit(JSON.stringify({ reward_earned: { user_id: user.id, reward } }));
  };
  const switcher = new Switcher(byId("switcher"), laravel.users);
  const shared = { laravel, latency, between, onCursor, hueOf: (id) => hues.get(id) ?? 3 };
  const people = laravel.users.map(
    (user, hue) =>
      new Person({ ...shared, user, hue, inRoom: hue < 2, onEvent: () => switcher.news(user.id) }),
  );
  for (const { card, user } of people) {
    byId("people").append(card.root);
    switcher.watch(user.id, card.root);
  }
  new Panel(byId("panel"), { laravel, contract, latency, onCursor });
  await Promise.all(people.map((person) => person.start()));
  document.documentElement.dataset.ready = "";
}

// On a small screen one app at a time; of the others, and of one that is scrolled away, the number
// of events that arrived meanwhile.
class Switcher {
  #apps = new Map(); // user id → { button, count, card, seen, news }

  constructor(root, users) {
    this.seeing = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries)
        this.#see(Number(target.dataset.user), isIntersecting);
    });
    for (const [hue, { id, name }] of users.entries()) {
      const count = h("span.news", { hidden: true });
      const button = h(
        "button",
        { type: "button", data: { hue }, on: { click: () => this.show(id, true) } },
        h("i.dot"),
        name,
        count,
      );
      this.#apps.set(id, { button, count, seen: false, news: 0 });
      root.append(button);
    }
  }

  watch(id, card) {
    this.#apps.get(id).card = card;
    this.seeing.observe(card);
    if (this.#apps.keys().next().value === id) this.show(id, false);
  }

  show(id, scroll) {
    for (const [one, { button, card }] of this.#apps) {
      button.setAttribute("aria-pressed", String(one === id));
      card?.classList.toggle("is-shown", one === id);
    }
    if (scroll)
      this.#apps
        .get(id)
        .card.scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
  }

  news(id) {
    const app = this.#apps.get(id);
    if (!app.seen) this.#count(app, app.news + 1);
  }

  #see(id, seen) {
    const app = this.#apps.get(id);
    app.seen = seen;
    if (seen) this.#count(app, 0);
  }

  #count(app, news) {
    app.news = news;
    app.count.hidden = news === 0;
    app.count.textContent = news > 99 ? "99+" : String(news);
  }
}

start().catch((error) => {
  const fatal = byId("fatal");
  fatal.hidden = false;
  fatal.textContent = `The page could not start: ${error.message}`;
  throw error;
});
