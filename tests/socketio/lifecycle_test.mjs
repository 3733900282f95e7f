// An unmodified socket.io-client against a relay that restarts, drains, or refuses origins.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { HOST, Relay, badge, client, connected, delay, numbers, once, token, until } from "./harness.mjs";

test("after a restart it comes back as a fresh session, truthfully", async (t) => {
  const relay = await Relay.start({}, t);
  const socket = await connected(relay.url, 1);
  const old = socket.id;
  await relay.emit(badge(1, 1));
  await until(() => numbers(socket).length === 1, "an event");
  const [[reason]] = await Promise.all([once(socket, "disconnect"), relay.terminate("SIGKILL")]);
  assert.equal(reason, "transport close");
  const errors = [];
  socket.io.on("reconnect_error", (error) => errors.push(error.message));
  await until(() => errors.length > 1, "attempts while nobody is there");
  await relay.launch();
  await until(() => socket.connected, "the client's return");
  assert.equal(socket.recovered, false);
  assert.notEqual(socket.id, old);
  await relay.emit(badge(1, 2));
  await until(() => numbers(socket).length === 2, "the next event");
  // With its new pid and its old offset, of another epoch.
  const returned = once(socket, "connect");
  socket.io.engine.close();
  await relay.emit(badge(1, 3));
  await returned;
  assert.equal(socket.recovered, true);
  await until(() => numbers(socket).length === 3, "the missed event");
  assert.deepEqual(numbers(socket), [1, 2, 3]);
  socket.disconnect();
  await relay.stop();
});

test("a relay that drains is left without an error, and found again", async (t) => {
  const relay = await Relay.start({ MSAB_DRAIN_TIMEOUT: "2s" }, t);
  const socket = await connected(relay.url, 1);
  const drained = relay.terminate();
  const [reason] = await once(socket, "disconnect");
  assert.equal(reason, "transport close", "not a disconnect by the server, which ends the retries");
  const [error] = await once(socket.io, "reconnect_error");
  assert.equal(error.message, "websocket error", "503, or nobody there");
  assert.equal(await drained, 0);
  await relay.launch();
  await until(() => socket.connected, "the client's return");
  socket.disconnect();
  await relay.stop();
});

test("origins: the allowed connect, others are told and stay away", async (t) => {
  const relay = await Relay.start({ MSAB_ALLOWED_ORIGINS: "https://app.example" }, t);
  const from = (origin) => ({ extraHeaders: { origin } });
  const good = await connected(relay.url, 1, from("https://app.example"));
  good.disconnect();
  const bad = client(relay.url, 1, from("https://evil.example"));
  const [error] = await once(bad, "connect_error");
  assert.equal(error.message, "Origin not allowed");
  assert.deepEqual(error.data, { code: "ORIGIN_FORBIDDEN" });
  await delay(300);
  assert.equal(bad.active, false);

  // A polling client reads why, where its origin may read at all.
  const polling = (origin) =>
    fetch(`${relay.url}/socket.io/?EIO=4&transport=polling&t=x`, { headers: { origin } });
  const answer = await polling("https://app.example");
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get("access-control-allow-origin"), "https://app.example");
  assert.deepEqual(await answer.json(), { code: 0, message: "Transport unknown: set transports: ['websocket']" });
  assert.equal((await polling("https://evil.example")).headers.get("access-control-allow-origin"), null);
  await relay.stop();
});

test("too many connections of a user: the client keeps trying, and gets in when there is room", async (t) => {
  const relay = await Relay.start({ MSAB_WS_MAX_PER_USER: "1" }, t);
  const first = await connected(relay.url, 1);
  const second = client(relay.url, 1);
  await until(async () => (await relay.metric("msab_connections_closed_total", 'cause="too_many"')) > 1, "refusals");
  assert.equal(second.connected, false);
  assert.equal(second.active, true);
  // The one that is in may come back although its old connection still counts.
  first.io.engine.close();
  first.disconnect();
  await once(second, "connect");
  second.disconnect();
  await relay.stop();
});

test("who has the socket and no CONNECT yet counts as unauthenticated; past that number there is 503", async (t) => {
  const relay = await Relay.start({ MSAB_WS_MAX_UNAUTHENTICATED: "2" }, t);
  let give;
  const slow = () => client(relay.url, 1, { auth: (later) => (give = later) });
  const waiting = [slow(), slow()];
  await until(async () => (await relay.metric("msab_connections")) === 2, "both to wait");
  const upgrade = () =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${relay.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
      socket.on("unexpected-response", (_, response) => resolve(response));
      socket.on("message", () => (socket.close(), resolve(null)));
      socket.on("error", () => {});
    });
  const refused = await upgrade();
  assert.equal(refused.statusCode, 503);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  const third = client(relay.url, 1);
  await once(third.io, "reconnect_error");
  assert.equal(third.active, true, "it tries on");
  await until(() => give !== undefined, "the last to ask for its token");
  give({ token: token(1) });
  await once(third, "connect");
  for (const socket of [...waiting, third]) socket.disconnect();
  await relay.stop();
});

test("a removed heartbeat is noticed by both sides", async (t) => {
  const relay = await Relay.start({ MSAB_WS_PING_INTERVAL: "200ms", MSAB_WS_PING_TIMEOUT: "300ms" }, t);
  const socket = await connected(relay.url, 1);
  assert.equal(socket.io.engine._pingInterval, 200);
  assert.equal(socket.io.engine._pingTimeout, 20_000);
  let pings = 0;
  socket.io.on("ping", () => ++pings);
  await until(() => pings >= 5, "heartbeats");
  assert.equal(socket.connected, true);
  // It goes mute: no pongs any more.
  socket.io.engine.transport.ws.send = () => {};
  const [reason] = await once(socket, "disconnect");
  assert.equal(reason, "transport close");
  assert.ok((await relay.metric("msab_connections_closed_total", 'cause="no_pong"')) >= 1);
  socket.disconnect();
  await relay.stop();
});
