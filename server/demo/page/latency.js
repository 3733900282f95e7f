// How long an event takes from the emit (before its HTTP request) to the handler in an app. Both
// ends are in this page, so one clock measures both.

import { h, svg } from "./dom.js";

// Deliveries shown, and the drawing's width in its own units: on a small screen fewer, as large.
const WIDE = { shown: 90, width: 900 };
const NARROW = { shown: 40, width: 420 };
const HEIGHT = 170;
const LEFT = 64;
const BOTTOM = 148;
const TOP = 14;
const RANGE = [0.1, 1000]; // ms, logarithmic
const WAITING = 500; // emits and deliveries that have not met yet

export class Latency {
  #emits = new Map(); // key → sentAt
  #early = new Map(); // key → [{ user, at }]: delivered before the emit's own answer came
  #points = []; // { user, ms }
  #drawn = false;

  constructor(root, users) {
    Object.assign(this, matchMedia("(max-width: 900px)").matches ? NARROW : WIDE);
    this.dots = svg("g");
    this.numbers = h("p.numbers", {}, "Emit something: every delivery becomes a dot.");
    const plot = svg("svg", {
      viewBox: `0 0 ${this.width} ${HEIGHT}`,
      class: "plot",
      role: "img",
      "aria-label": "Latency of the last deliveries",
    });
    for (const ms of [0.1, 1, 10, 100, 1000]) {
      const y = yOf(ms);
      const label = svg("text", { x: LEFT - 10, y: y + 4, "text-anchor": "end" }, `${ms} ms`);
      plot.append(svg("line", { x1: LEFT, x2: this.width, y1: y, y2: y }), label);
    }
    plot.append(this.dots);
    this.plot = plot;
    const legend = users.map(({ id, name }, index) =>
      h("li", { data: { hue: index } }, h("i.dot"), name, " "),
    );
    this.hues = new Map(users.map(({ id }, index) => [id, index]));
    root.append(
      h(
        "div.latency-head",
        {},
        h("h2", { id: "latency-title" }, "Latency, emit to handler"),
        h("ul.legend", {}, ...legend),
      ),
      plot,
      this.numbers,
    );
  }

  /** An emit was accepted; `key` is its cursor, or what else its deliveries can be known by. */
  emitted(key, sentAt) {
    for (const { user, at } of this.#early.get(key) ?? []) this.#add(user, at - sentAt);
    this.#early.delete(key);
    keep(this.#emits, key, sentAt);
  }

  /** An event reached a user's handler, live. */
  received(key, user, at) {
    const sentAt = this.#emits.get(key);
    if (sentAt !== undefined) this.#add(user, at - sentAt);
    else keep(this.#early, key, [...(this.#early.get(key) ?? []), { user, at }]);
  }

  #add(user, ms) {
    this.#points.push({ user, ms });
    if (this.#points.length > this.shown) this.#points.shift();
    if (this.#drawn) return;
    this.#drawn = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#drawn = false;
    const step = (this.width - LEFT - 12) / (this.shown - 1);
    const first = this.shown - this.#points.length;
    this.dots.replaceChildren(
      ...this.#points.map(({ user, ms }, index) =>
        svg("circle", {
          cx: (LEFT + 6 + (first + index) * step).toFixed(1),
          cy: yOf(ms).toFixed(1),
          r: index === this.#points.length - 1 ? 5.5 : 4,
          "data-hue": this.hues.get(user),
        }),
      ),
    );
    const sorted = this.#points.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (part) =>
      sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(1);
    const text = `Last ${sorted.length} deliveries: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, newest ${this.#points.at(-1).ms.toFixed(1)} ms`;
    this.numbers.textContent = text;
    this.plot.setAttribute("aria-label", text);
  }
}

function yOf(ms) {
  const [low, high] = RANGE.map(Math.log10);
  const part = (Math.log10(Math.min(RANGE[1], Math.max(RANGE[0], ms))) - low) / (high - low);
  return BOTTOM - part * (BOTTOM - TOP);
}

function keep(map, key, value) {
  map.set(key, value);
  if (map.size > WAITING) map.delete(map.keys().next().value);
}
