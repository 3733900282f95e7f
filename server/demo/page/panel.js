// The application's side: choose an event, edit its payload, emit it, see the relay's answer.

import { Answer } from "./answer.js";
import { h, icon } from "./dom.js";
import { Life } from "./life.js";
import { brokenPayload, eventsOf, readdressed, requestFor, samplePayload } from "./samples.js";

const GROUPS = [
  [
    "High priority",
    [
      "balance.updated",
      "reward.earned",
      "badge.earned",
      "income_target.completed",
      "room.level_up",
    ],
  ],
  ["Medium: agencies", (name) => name.startsWith("agency.")],
  ["Low: caches", (name) => name.endsWith(":invalidate")],
  ["Your own", (name, { custom }) => custom],
  ["Room, as before", () => true],
];

export class Panel {
  #event;
  #last = ""; // the last request that was accepted, with its event id

  constructor(root, { laravel, contract, latency, onCursor }) {
    this.laravel = laravel;
    this.latency = latency;
    this.onCursor = onCursor;
    this.events = eventsOf(contract);
    this.users = new Set([laravel.users[0].id]);
    this.text = h("textarea.request", {
      id: "request",
      rows: 12,
      spellcheck: false,
      aria: { describedby: "event-about" },
      on: { keydown: (event) => this.#keydown(event) },
    });
    this.about = h("p.about", { id: "event-about" });
    this.facts = h("p.event-facts");
    this.whom = h("div.whom");
    this.command = h("code");
    this.answer = new Answer();
    const life = new Life(laravel, (request) => this.#send(JSON.stringify(request)));
    root.append(
      h("div.panel-head", {}, h("h2", { id: "panel-title" }, "Emit, as Laravel does"), life.root),
      this.#choices(),
      this.facts,
      this.about,
      this.whom,
      h(
        "label.request-label",
        { htmlFor: "request" },
        "EmitEvent request",
        h("span.hint", {}, "Ctrl+Enter emits"),
      ),
      this.text,
      this.#buttons(),
      this.answer.root,
      h(
        "details.command",
        { on: { toggle: () => this.#showCommand() } },
        h("summary", {}, "The same from a shell"),
        h("pre", { tabIndex: 0 }, this.command),
      ),
    );
    this.text.addEventListener("input", () => this.#showCommand());
    this.choose(this.events[0].name);
  }

  #buttons() {
    const press = (id, run, more) => ({ type: "button", id, on: { click: run }, ...more });
    return h(
      "div.buttons",
      {},
      h(
        "button.primary",
        press("emit", () => this.emit(this.text.value)),
        icon("send"),
        "Emit",
      ),
      h(
        "button",
        press("break", () => this.#break(), {
          title: "Fills in a payload that breaks the contract in many places",
        }),
        "Break it",
      ),
      h(
        "button",
        press("repeat", () => this.#repeat(), {
          title: "The last accepted request once more, under the same event id",
        }),
        "Repeat last",
      ),
      h(
        "button.icon-button",
        press("reset", () => this.#fill(), {
          title: "A fresh sample",
          aria: { label: "A fresh sample" },
        }),
        icon("refresh"),
      ),
    );
  }

  #choices() {
    const left = new Set(this.events);
    const groups = GROUPS.map(([title, belongs]) => {
      const inside = [...left].filter((event) =>
        Array.isArray(belongs) ? belongs.includes(event.name) : belongs(event.name, event),
      );
      if (inside.length === 0) return null;
      for (const event of inside) left.delete(event);
      const options = inside.map(({ name }) =>
        h(
          "label.choice",
          {},
          h("input", {
            type: "radio",
            name: "event",
            value: name,
            on: { change: () => this.choose(name) },
          }),
          h("span", {}, name),
        ),
      );
      return h(
        "div.choice-group",
        { role: "group", aria: { label: title } },
        h("h3", {}, title),
        h("div.choice-list", {}, ...options),
      );
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
    this.about.replaceChildren(
      ...this.#event.description
        .split("`")
        .map((part, index) => (index % 2 ? h("code", {}, part) : part)),
    );
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
      return this.whom.replaceChildren(
        h("span", {}, "To"),
        h(
          "strong",
          {},
          audience === "room"
            ? `everybody in room ${this.laravel.room}`
            : "everyone who is connected",
        ),
      );
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
    this.whom.replaceChildren(
      h("span", {}, "To"),
      h("div.choice-list", { role: "group", aria: { label: "To whom" } }, ...chips),
    );
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
    return requestFor(
      this.#event,
      samplePayload(this.#event, { user: users[0], room }),
      users,
      room,
    );
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
    else this.answer.say("nothing", "Nothing was accepted yet: emit something first.");
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
    if (result?.ok) {
      this.#last = text;
      this.answer.accepted(result.body, result.ms, this.#passingKey(text) === null);
    } else if (result) {
      this.answer.refused(result.status, result.body);
    }
    this.answer.root.scrollIntoView({ block: "nearest" });
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
      this.answer.say("refused", `The relay can't be reached: ${error.message}`);
      return null;
    }
  }

  // What deliveries of an event without a place in the log can be known by; null: it has one.
  #passingKey(text) {
    const request = JSON.parse(text);
    const event = this.events.find(({ field }) => field in request);
    return event?.kept === "EPHEMERAL" ? `${event.name}/${request[event.field].timestamp}` : null;
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
}

/** The same text with an event id, if it is a request without one. */
function withEventId(text) {
  try {
    const request = JSON.parse(text);
    if (Object.keys(request).length === 0 || "event_id" in request || "eventId" in request)
      return text;
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

function audienceText({ audience, names }) {
  if (audience.includes("everyone")) return "to everyone";
  if (audience.includes("room")) return names ? `to the room in ${names}` : "to a room";
  return names ? `private, to ${names}` : "private, by target";
}
