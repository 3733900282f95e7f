// What the suites share: a relay of their own, tokens, emits, a network that fails on demand, and
// clients that keep what they are told.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { createServer, connect as dial } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { io } from "socket.io-client";

export { delay };

const KEY = "socketio-suite-key-0123456789";
const SECRET = "socketio-suite-secret-0123456789abcdef";

// A loopback address of this process alone, so that suites may run side by side.
export const HOST = `127.${29 + ((process.pid >> 16) % 100)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

// A relay, started from the real binary.
export class Relay {
  // `context`: of the test that it is not to outlive, pass or fail.
  static async start(settings = {}, context) {
    const relay = new Relay();
    context?.after(() => relay.process.exitCode ?? relay.terminate("SIGKILL"));
    relay.settings = settings;
    await relay.launch();
    return relay;
  }

  url = `http://${HOST}:8080`;
  port = 8080;

  async launch() {
    this.log = "";
    this.process = spawn(process.env.MSAB_RELAY, [], {
      env: {
        PATH: process.env.PATH,
        MSAB_SHARDS: process.env.MSAB_SHARDS ?? "2",
        MSAB_WS_LISTEN: `${HOST}:8080`,
        MSAB_GRPC_LISTEN: `${HOST}:50051`,
        MSAB_HTTP_LISTEN: `${HOST}:9090`,
        MSAB_API_KEYS: `suite:${KEY}`,
        MSAB_JWT_SECRETS: SECRET,
        MSAB_LIMITS_CLIENT_BURST: "100000",
        MSAB_LIMITS_CHAT_PER_MINUTE: "100000",
        ...this.settings,
      },
    });
    this.process.stderr.on("data", (text) => (this.log += text));
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
    await until(async () => {
      assert.equal(this.process.exitCode, null, `the relay ended:\n${this.log}`);
      try {
        return (await fetch(`http://${HOST}:9090/readyz`)).ok;
      } catch {
        return false;
      }
    }, "the relay to start");
  }

  async call(method, path, body) {
    const answer = await fetch(`http://${HOST}:9090${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const json = await answer.json();
    assert.ok(answer.ok, JSON.stringify(json));
    return json;
  }
  emit(event) {
    return this.call("POST", "/v1/events:emit", event);
  }
  async emitBatch(events) {
    const { results } = await this.call("POST", "/v1/events:emitBatch", { events });
    for (const result of results) assert.ok(result.ok, JSON.stringify(result));
    return results.map((result) => result.ok);
  }
  async cursor() {
    return (await this.call("GET", "/v1/cursor")).cursor;
  }
  // The value of a metric; of one with labels, the first of those that carry `labels`.
  async metric(name, labels = "") {
    const text = await (await fetch(`http://${HOST}:9090/metrics`)).text();
    const line = text.split("\n").find((l) => l.startsWith(name) && l.includes(labels));
    return line === undefined ? 0 : Number(line.split(" ").at(-1));
  }

  terminate(signal = "SIGTERM") {
    this.process.kill(signal);
    return this.ended;
  }
  // Ends at once and comes back, as a new process with an empty log.
  async restart() {
    await this.terminate("SIGKILL");
    await this.launch();
  }
  async stop() {
    // Those of a test that failed would keep this process for ever, coming back.
    for (const socket of clients) socket.disconnect();
    const code = await this.terminate();
    assert.equal(code, 0, this.log);
  }
}

const base64url = (value) => Buffer.from(value).toString("base64url");

// A token as Laravel issues it.
export function token(user, { expiresIn = 3600, secret = SECRET, ...claims } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const head = base64url(JSON.stringify({ alg: "HS256", typ: "JWT" }));
  const body = base64url(
    JSON.stringify({ sub: String(user), iat: now, exp: now + expiresIn, name: `User ${user}`, ...claims }),
  );
  const signature = createHmac("sha256", secret).update(`${head}.${body}`).digest("base64url");
  return `${head}.${body}.${signature}`;
}

// Waits until `what` holds, or fails.
export async function until(holds, what, patience = 30_000) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await holds();
    if (value) return value;
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await delay(10);
  }
}

// The next event of this name, its arguments as an array.
export function once(emitter, name, patience = 30_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} came`)), patience);
    emitter.once(name, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

const clients = new Set();

// An unmodified socket.io-client with what every application must set, and a short backoff.
export function client(url, user, options = {}) {
  const { auth, ...rest } = options;
  const socket = io(url, {
    transports: ["websocket"],
    forceNew: true,
    reconnectionDelay: 20,
    reconnectionDelayMax: 100,
    auth: auth ?? ((give) => give({ token: token(user) })),
    ...rest,
  });
  clients.add(socket);
  // Everything that came, in order: {name, data, cursor}.
  socket.log = [];
  socket.onAny((name, data, cursor) => socket.log.push({ name, data, cursor }));
  socket.recoveries = [];
  socket.on("connect", () => socket.recoveries.push(socket.recovered === true));
  return socket;
}

export async function connected(url, user, options) {
  const socket = client(url, user, options);
  await once(socket, "connect");
  return socket;
}

export const sequence = (cursor) => Number(cursor.split("-")[1]);

// The events with a cursor stand in ascending order, none twice.
export function assertOrdered(log) {
  let last = 0;
  for (const { name, cursor } of log) {
    if (cursor === undefined) continue;
    assert.ok(sequence(cursor) > last, `${name} ${cursor} came after ${last}`);
    last = sequence(cursor);
  }
}

// A marker event to a user, with a number to know it by.
export const badge = (user, n) => ({
  badge_earned: {
    user_id: user,
    badge: { id: n, name: "b", image_url: "https://x/b.png", category: "special" },
  },
});
export const numbers = (socket) =>
  socket.log.filter((e) => e.name === "badge.earned").map((e) => e.data.badge.id);

// A TCP proxy between client and relay: a network that drops, delays and goes deaf on demand.
export class Network {
  static async start(port) {
    const network = new Network();
    network.target = port;
    network.links = new Set();
    network.server = createServer((near) => network.link(near));
    await new Promise((resolve) => network.server.listen(0, HOST, resolve));
    network.url = `http://${HOST}:${network.server.address().port}`;
    return network;
  }

  latency = 0; // ms, each way

  link(near) {
    const far = dial(this.target, HOST);
    const link = { near, far, deaf: false };
    this.links.add(link);
    const forward = (from, to) => {
      // One after another, whatever the latency does meanwhile: a stream keeps its order.
      let last = Promise.resolve();
      const later = (then) => {
        const due = Date.now() + this.latency;
        last = last.then(async () => {
          if (due > Date.now()) await delay(due - Date.now());
          if (!link.deaf && !to.destroyed) then();
        });
      };
      from.on("data", (bytes) => later(() => to.write(bytes)));
      from.on("end", () => later(() => to.end()));
      from.on("error", () => {});
      from.on("close", () => {
        if (link.deaf && from === near) return; // the far side is not told
        to.destroy();
        this.links.delete(link);
      });
    };
    forward(near, far);
    forward(far, near);
  }

  // Every connection breaks, both sides learn of it.
  cut() {
    for (const { near, far } of this.links) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    this.links.clear();
  }
  // The client's side breaks; the relay hears nothing, as when a phone changes its network.
  half() {
    for (const link of this.links) {
      link.deaf = true;
      link.near.destroy();
    }
  }
  // The client sends FIN and then nothing; what the relay says is still delivered.
  halfClose() {
    for (const { far } of this.links) far.end();
  }

  stop() {
    for (const { near, far } of this.links) {
      near.destroy();
      far.destroy();
    }
    this.server.close();
  }
}
