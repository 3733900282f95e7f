// The application's side: choose an event, edit its payload, emit it, see the relay's answer.

import { h, icon } from "./dom.js";
import { brokenPayload, eventsOf, readdressed, requestFor, samplePayload } from "./samples.js";

const GROUPS = [
  ["High priority", ["balance.updated", "reward.earned", "badge.earned", "income_target.completed", "room.level_up"]],
  ["Medium: agencies", (name) => name.startsWith("agency.")],
  ["Low: caches", (name) => name.endsWith(":invalidate")],
  ["Your own", (name, { custom }) => custom],
  ["Room, as before", () => true],
];

export class Panel {
  #event;
  #last = ""; // the last request that was accepted, with its event id
  #playing = 0; // timer

  constructor(root, { laravel, contract, latency, onCursor }) {
    this.laravel = laravel;
    this.latency = latency;
    this.onCursor = onCursor;
    this.events = eventsOf(contract);
    this.users = new Set([laravel.users[0].id]);
    this.text = h("textarea.request", { id: "request", rows: 12, spellcheck: false, aria: { describedby: "event-about" }, on: { keydown: (event) => this.#keydown(event) } });
    this.about = h("p.about", { id: "event-about" });
    this.facts = h("p.event-facts");
    this.whom = h("div.whom");
    this.command = h("code");
    this.answer = h("div.answer", { role: "status", aria: { label: "The relay's answer" } });
    this.play = h("button.switch", { type: "button", role: "switch", aria: { checked: "false" }, on: { click: () => this.#togglePlay() } }, h("span.knob"), "Let the room live");
    root.append(
      h("div.panel-head", {}, h("h2", { id: "panel-title" }, "Emit, as Laravel does"), this.play),
      this.#choices(),
      this.facts,
      this.about,
      this.whom,
      h("label.request-label", { htmlFor: "request" }, "EmitEvent request", h("span.hint", {}, "Ctrl+Enter emits")),
      this.text,
      h(
        "div.buttons",
        {},
        h("button.primary", { type: "button", id: "emit", on: { click: () => this.emit(this.text.value) } }, icon("send"), "Emit"),
        h("button", { type: "button", id: "break", title: "Fills in a payload that breaks the contract in many places", on: { click: () => this.#break() } }, "Break it"),
        h("button", { type: "button", id: "repeat", title: "The last accepted request once more, under the same event id", on: { click: () => this.#repeat() } }, "Repeat last"),
        h("button.icon-button", { type: "button", id: "reset", title: "A fresh sample", aria: { label: "A fresh sample" }, on: { click: () => this.#fill() } }, icon("refresh")),
      ),
      this.answer,
      h("details.command", { on: { toggle: () => this.#showCommand() } }, h("summary", {}, "The same from a shell"), h("pre", { tabIndex: 0 }, this.command)),
    );
    this.text.addEventListener("input", () => this.#showCommand());
    this.choose(this.events[0].name);
  }

  #choices() {
    const left = new Set(this.events);
    const groups = GROUPS.map(([title, belongs]) => {
      const inside = [...left].filter((event) => (Array.isArray(belongs) ? belongs.includes(event.name) : belongs(event.name, event)));
      if (inside.length === 0) return null;
      for (const event of inside) left.delete(event);
      const options = inside.map(({ name }) =>
        h("label.choice", {}, h("input", { type: "radio", name: "event", value: name, on: { change: () => this.choose(name) } }), h("span", {}, name)),
      );
      return h("div.choice-group", { role: "group", aria: { label: title } }, h("h3", {}, title), h("div.choice-list", {}, ...options));
    });
    this.choices = h("fieldset.choices", {}, h("legend.visually-hidden", {}, "Event"), ...groups);
    return this.choices;
  }

  choose(name) {
    this.#event = this.events.find((event) => event.name === name);
    this.choices.querySelector(`input[value="${CSS.escape(name)}"]`).checked = true;
    const several = this.#event.audience.includes("user") && !this.#event.names;
    if (!several && this.users.size > 1) this.users = new Set([[...this.users][0]]);
    // The contract's descriptions set names in backticks.
    this.about.replaceChildren(...this.#event.description.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part)));
    this.facts.replaceChildren(
      h("span.fact", {}, audienceText(this.#event)),
      h("span.fact", { title: CLASSES[this.#event.kept] }, this.#event.kept.toLowerCase()),
    );
    this.#showWhom(several);
    this.#fill();
  }

  #showWhom(several) {
    if (!this.#event.audience.includes("user")) {
      const [audience] = this.#event.audience;
      return this.whom.replaceChildren(h("span", {}, "To"), h("strong", {}, audience === "room" ? `everybody in room ${this.laravel.room}` : "everyone who is connected"));
    }
    const chips = this.laravel.users.map(({ id, name }, hue) =>
      h(
        "label.choice",
        { data: { hue } },
        h("input", {
          type: several ? "checkbox" : "radio",
          name: "whom",
          value: String(id),
          checked: this.users.has(id),
          on: { change: (event) => this.#address(id, several, event.target) },
        }),
        h("span", {}, name),
      ),
    );
    this.whom.replaceChildren(h("span", {}, "To"), h("div.choice-list", { role: "group", aria: { label: "To whom" } }, ...chips));
  }

  #address(id, several, box) {
    if (!several) this.users = new Set([id]);
    else if (box.checked) this.users.add(id);
    else if (this.users.size > 1) this.users.delete(id);
    else box.checked = true; // an event to nobody is refused: keep one
    const request = readdressed(this.text.value, this.#event, this.#addressed());
    this.#set(request ?? this.#sample());
  }

  #addressed() {
    return [...this.users].sort((a, b) => a - b);
  }

  #sample() {
    const users = this.#addressed();
    const { room } = this.laravel;
    return requestFor(this.#event, samplePayload(this.#event, { user: users[0], room }), users, room);
  }

  #fill() {
    this.#set(this.#sample());
  }

  #set(request) {
    this.text.value = JSON.stringify(request, null, 2);
    this.text.rows = Math.min(15, Math.max(8, this.text.value.split("\n").length));
    this.#showCommand();
  }

  #break() {
    const request = this.#sample();
    request[this.#event.field] = brokenPayload(request[this.#event.field]);
    this.#set(request);
  }

  #repeat() {
    if (this.#last) this.emit(this.#last);
    else this.#say("nothing", "Nothing was accepted yet: emit something first.");
  }

  #keydown(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.emit(this.text.value);
  }

  /**
   * Emits the text and shows the answer. The relay is the judge of the text; it only gains an event
   * id, as a careful application gives one: a repeat of the same emit then changes nothing.
   */
  async emit(written) {
    const text = withEventId(written);
    const result = await this.#send(text);
    if (result?.ok) this.#accepted(text, result.body, result.ms);
    else if (result) this.#refused(result.status, result.body);
    this.answer.scrollIntoView({ block: "nearest" });
  }

  /** An emit that shows nothing; its result, or null where the relay could not be reached. */
  async #send(text) {
    try {
      const result = await this.laravel.emit(text);
      if (result.ok) {
        this.latency.emitted(this.#passingKey(text) ?? result.body.cursor, result.sentAt);
        this.onCursor(result.body.cursor);
      }
      return result;
    } catch (error) {
      this.#say("refused", `The relay can't be reached: ${error.message}`);
      return null;
    }
  }

  // What deliveries of an event without a place in the log can be known by; null: it has one.
  #passingKey(text) {
    const request = JSON.parse(text);
    const event = this.events.find(({ field }) => field in request);
    return event?.kept === "EPHEMERAL" ? `${event.name}/${request[event.field].timestamp}` : null;
  }

  #accepted(text, body, ms) {
    this.#last = text;
    const { users_targeted: targeted, users_online: online, connections } = body.recipients;
    const flags = ["duplicate", "superseded", "expired"].filter((flag) => body[flag]);
    this.#say(
      "accepted",
      h("p.verdict", {}, h("b", {}, online === 0 ? "Nobody was online" : `${online} of ${targeted} online`), ` on ${plural(connections, "connection")}`, ...flags.map((flag) => h("span.flag", {}, flag))),
      h("dl", {}, ...pair("cursor", this.#passingKey(text) ? `${body.cursor}, unmoved: not kept` : body.cursor), ...pair("event id", body.event_id), ...pair("answered in", `${ms.toFixed(1)} ms`)),
      online === 0 && !body.duplicate ? h("p.aside", {}, "A success all the same: the event is kept for who comes back, and Laravel knows that a push notification is due.") : null,
    );
  }

  #refused(status, body) {
    const violations = (body.details ?? []).flatMap((detail) => detail.field_violations ?? detail.fieldViolations ?? []);
    this.#say(
      "refused",
      h("p.verdict", {}, h("b", {}, `Refused: ${NAMES[body.code] ?? body.code}`), ` HTTP ${status}`, violations.length ? `, ${plural(violations.length, "violation")}` : ""),
      violations.length
        ? h("ul.violations", {}, ...violations.map(({ field, description }) => h("li", {}, h("code", {}, field), " ", description)))
        : h("p", {}, body.message),
    );
  }

  #say(kind, ...content) {
    this.answer.dataset.kind = kind;
    this.answer.replaceChildren(...content.filter(Boolean));
  }

  #showCommand() {
    let body = this.text.value;
    try {
      body = JSON.stringify(JSON.parse(body));
    } catch {
      // not JSON yet: shown as it is
    }
    const quoted = body.replaceAll("'", "'\\''");
    this.command.textContent = `curl -H "authorization: Bearer $KEY" -d '${quoted}' ${location.origin}/v1/events:emit`;
  }

  // A room with some life in it: somebody speaks, now and then something happens.
  #togglePlay() {
    const on = this.#playing === 0;
    this.play.setAttribute("aria-checked", String(on));
    clearInterval(this.#playing);
    this.#playing = 0;
    if (!on) return;
    let turn = 0;
    this.#playing = setInterval(() => this.#live((turn += 1)), 700);
    this.#live(turn);
  }

  #live(turn) {
    const [a, b] = this.laravel.users;
    const speaker = [a, b][Math.floor(turn / 4) % 2];
    const room = this.laravel.room;
    this.#send(JSON.stringify({ speaker_active: { roomId: room, userId: `${speaker.id}`, activeSpeakers: [`${speaker.id}`], timestamp: Date.now() } }));
    if (turn % 5 === 1) {
      const user = this.laravel.users[turn % 3];
      this.#send(JSON.stringify({ balance_updated: { user_id: user.id, coins: `${1000 + Math.floor(Math.random() * 4000)}`, charm_xp: `${3000 + turn * 10}` } }));
    }
    if (turn % 12 === 8) {
      const gift = { senderId: a.id, roomId: room, giftId: 7 + (turn % 3), recipientIds: [b.id], recipientId: b.id, quantity: 1 + (turn % 4), transactionId: `live-${Date.now()}` };
      this.#send(JSON.stringify({ gift_received: gift }));
    }
  }
}

/** The same text with an event id, if it is a request without one. */
function withEventId(text) {
  try {
    const request = JSON.parse(text);
    if (Object.keys(request).length === 0 || "event_id" in request || "eventId" in request) return text;
  } catch {
    return text;
  }
  return text.replace("{", `{"event_id":"demo-${crypto.randomUUID()}",`);
}

const CLASSES = {
  DURABLE: "Kept, and replayed to who comes back",
  LATEST: "State: a later one replaces an earlier one that still waits",
  EPHEMERAL: "Never kept",
};

const NAMES = { 3: "INVALID_ARGUMENT", 6: "ALREADY_EXISTS", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 14: "UNAVAILABLE", 16: "UNAUTHENTICATED" };

function audienceText({ audience, names }) {
  if (audience.includes("everyone")) return "to everyone";
  if (audience.includes("room")) return `to the room in ${names}`;
  return names ? `private, to ${names}` : "private, by target";
}

const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const pair = (term, text) => [h("dt", {}, term), h("dd", {}, h("code", {}, text))];
