// The Laravel application, played by this page: its database, its bootstrap response, its emits.
// In real life all of this runs on the server; only the token, the cursor and the state ever reach
// a browser. The emit key is the demo page's own and ends with the relay's process.

import { apply, initialState } from "./state.js";

const STORE = "msab-demo"; // the "database": this tab's, so that it outlives a reload

export class Laravel {
  #key;
  #states;

  constructor(setup) {
    this.ws = setup.ws;
    this.room = setup.room;
    this.users = setup.users;
    this.#key = setup.emit_key;
    this.#states = JSON.parse(sessionStorage.getItem(STORE) ?? "{}");
    for (const { id } of this.users) this.#states[id] ??= initialState(id);
  }

  static async start() {
    return new Laravel(await json(await fetch("setup")));
  }

  nameOf(id) {
    return this.users.find((user) => user.id === Number(id))?.name ?? `User ${id}`;
  }

  async contract() {
    return json(await this.#fetch("/v1/contract"));
  }

  /** A fresh token of one of the demo users, as the app's own endpoint for it would answer. */
  async token(id) {
    return (await json(await fetch(`token?user=${id}`))).token;
  }

  /**
   * The app's bootstrap response. The order is the point: the cursor is read *first*, the state
   * after it. Whatever happens from then on has a greater number, so a connection that starts from
   * this cursor misses nothing, however long the app takes to open it.
   */
  async bootstrap(id) {
    const { cursor } = await json(await this.#fetch("/v1/cursor"));
    return { cursor, state: structuredClone(this.#states[id]) };
  }

  /**
   * Emits, by the relay's JSON twin. `text` goes out as it is: the relay is the judge of it.
   * → { ok, status, body (parsed), sentAt, ms }
   */
  async emit(text) {
    const request = { method: "POST", body: text, headers: { "content-type": "application/json" } };
    const sentAt = performance.now();
    const response = await this.#fetch("/v1/events:emit", request);
    const body = await response.json();
    const ms = performance.now() - sentAt;
    return { ok: response.ok, status: response.status, body, sentAt, ms };
  }

  /** An event took place for this user: the database knows. */
  record(id, event, data) {
    apply(this.#states[id], event, data);
    sessionStorage.setItem(STORE, JSON.stringify(this.#states));
  }

  #fetch(path, options = {}) {
    const headers = { ...options.headers, authorization: `Bearer ${this.#key}` };
    return this.#once(path, { ...options, headers });
  }

  // The key is the relay process's: after a restart there is another.
  async #once(path, options) {
    const response = await fetch(path, options);
    if (response.status !== 401) return response;
    this.#key = (await json(await fetch("setup"))).emit_key;
    return fetch(path, {
      ...options,
      headers: { ...options.headers, authorization: `Bearer ${this.#key}` },
    });
  }
}

async function json(response) {
  const body = await response.json();
  if (!response.ok)
    throw new Error(`${new URL(response.url).pathname}: ${response.status} ${body.message}`);
  return body;
}
