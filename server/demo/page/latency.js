// How long an event takes from the emit (before its HTTP request) to the handler in an app. Both
// ends are in this page, so one clock measures both.

import { h, svg } from "./dom.js";

// The drawing is in pixels: a wider one shows more deliveries, none is stretched.
const STEP = 9; // from one delivery to the next
const HEIGHT = 176;
const LEFT = 64;
const RIGHT = 8;
const BOTTOM = 148;
const TOP = 14;
const KEPT = 200;
const RANGE = [0.1, 1000]; // ms, logarithmic
const WAITING = 500; // emits and deliveries that have not met yet

export class Latency {
  #emits = new Map(); // key → sentAt
  #early = new Map(); // key → [{ user, at }]: delivered before the emit's own answer came
  #points = []; // { user, ms }
  #asked = false; // a drawing, for the next frame
  #width = 0;

  constructor(root, users) {
    this.dots = svg("g");
    this.numbers = h("p.numbers", {}, "Emit something: every delivery becomes a dot.");
    this.plot = svg("svg", {
      class: "plot",
      height: HEIGHT,
      role: "img",
      "aria-label": "Latency of the last deliveries",
    });
    for (const ms of [0.1, 1, 10, 100, 1000]) {
      const y = yOf(ms);
      const label = svg("text", { x: LEFT - 10, y: y + 4, "text-anchor": "end" }, `${ms} ms`);
      this.plot.append(svg("line", { x1: LEFT, x2: "100%", y1: y, y2: y }), label);
    }
    const below = { y: HEIGHT - 6 };
    this.plot.append(
      svg("text", { x: LEFT, ...below }, "← earlier deliveries"),
      svg("text", { x: "100%", "text-anchor": "end", ...below }, "newest"),
      this.dots,
    );
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
      this.plot,
      this.numbers,
    );
    new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width;
      this.#ask();
    }).observe(this.plot);
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
    if (this.#points.length > KEPT) this.#points.shift();
    this.#ask();
  }

  #ask() {
    if (this.#asked || this.#width === 0 || this.#points.length === 0) return;
    this.#asked = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#asked = false;
    const right = this.#width - RIGHT;
    const room = Math.max(1, Math.floor((right - LEFT - RIGHT) / STEP) + 1);
    const points = this.#points.slice(-room);
    this.dots.replaceChildren(
      ...points.map(({ user, ms }, index) =>
        svg("circle", {
          cx: (right - (points.length - 1 - index) * STEP).toFixed(1),
          cy: yOf(ms).toFixed(1),
          r: index === points.length - 1 ? 5.5 : 4,
          "data-hue": this.hues.get(user),
        }),
      ),
    );
    const sorted = points.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (part) =>
      sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(1);
    const text = `Last ${sorted.length} deliveries: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, newest ${points.at(-1).ms.toFixed(1)} ms`;
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
