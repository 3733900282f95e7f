// Connection state recovery as an unmodified socket.io-client understands it, over a network that
// drops, delays, half-closes and goes deaf.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import {
  Network, Relay, assertOrdered, badge, connected, delay, numbers, once, token, until,
} from "./harness.mjs";

async function house(t, settings = {}) {
  const relay = await Relay.start(settings, t);
  const network = await Network.start(relay.port);
  t.after(() => network.stop());
  return { relay, network };
}

// A client that is closed with the test.
async function enter(t, url, user, options) {
  const socket = await connected(url, user, options);
  t.after(() => socket.disconnect());
  return socket;
}

// Breaks the connection by `how` and waits for the client's return.
async function cutAndReturn(socket, how) {
  const returned = once(socket, "connect");
  how();
  await returned;
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("a connection that got no event yet recovers what it missed", async (t) => {
  const { relay, network } = await house(t);
  await relay.emitBatch(range(1, 5).map((n) => badge(1, n))); // before it came: not its own
  const socket = await enter(t, network.url, 1, { reconnectionDelay: 300, reconnectionDelayMax: 300 });
  const id = socket.id;
  const returned = once(socket, "connect");
  network.cut();
  await once(socket, "disconnect");
  await relay.emitBatch(range(6, 8).map((n) => badge(1, n)));
  await returned;
  assert.equal(socket.recovered, true);
  assert.equal(socket.id, id);
  await until(() => numbers(socket).length === 3, "the missed events");
  assert.deepEqual(numbers(socket), [6, 7, 8]);
});

test("private, room and everyone's events come back in one order, before any live one", async (t) => {
  const { relay, network } = await house(t);
  const socket = await enter(t, network.url, 1, { reconnectionDelay: 300, reconnectionDelayMax: 300 });
  await relay.emit({ room_level_up: { room_id: 7, new_level: 1, new_room_xp: "0" } }); // before the join
  await socket.emitWithAck("room:join", { roomId: 7 });
  const returned = once(socket, "connect");
  network.cut();
  await once(socket, "disconnect");
  await relay.emit(badge(1, 1));
  await relay.emit({ room_level_up: { room_id: 7, new_level: 2, new_room_xp: "1" } });
  await relay.emit({ config_invalidate: { type: "gifts" } });
  await relay.emit(badge(2, 9)); // another's
  await relay.emit({ balance_updated: { user_id: 1, coins: "1" } });
  await relay.emit({ balance_updated: { user_id: 1, coins: "2" } }); // replaces it
  await relay.emit({ room_level_up: { room_id: 8, new_level: 2, new_room_xp: "1" } }); // another room
  await returned;
  await relay.emit(badge(1, 2));
  await until(() => numbers(socket).includes(2), "the live event");
  assert.deepEqual(
    socket.log.map((e) => e.name),
    ["badge.earned", "room.level_up", "config:invalidate", "balance.updated", "badge.earned"],
  );
  assert.equal(socket.log[1].data.new_level, 2);
  assert.equal(socket.log[3].data.coins, "2");
  assertOrdered(socket.log);
  // It is in the room still.
  assert.equal((await socket.emitWithAck("chat:message", { roomId: 7, content: "back" })).success, true);
});

test("the same batch is not replayed on each reconnect", async (t) => {
  const { relay, network } = await house(t);
  const socket = await enter(t, network.url, 1);
  for (let n = 1; n <= 20; ++n) {
    await relay.emit(badge(1, n));
    await cutAndReturn(socket, () => network.cut());
    assert.equal(socket.recovered, true);
  }
  await relay.emit(badge(1, 21));
  await until(() => numbers(socket).includes(21), "the last event");
  assert.deepEqual(numbers(socket), range(1, 21));
});

test("history that was cut is told, and the session after it recovers with the old offset in hand", async (t) => {
  const { relay, network } = await house(t, { MSAB_LOG_MAX_PER_AUDIENCE: "5" });
  const socket = await enter(t, network.url, 1, { reconnectionDelay: 300, reconnectionDelayMax: 300 });
  const [id, pid] = [socket.id, socket._pid];
  await socket.emitWithAck("room:join", { roomId: 7 });
  await relay.emit(badge(1, 1));
  await until(() => numbers(socket).length === 1, "an event");
  const offset = socket._lastOffset;
  let returned = once(socket, "connect");
  network.cut();
  await once(socket, "disconnect");
  await relay.emitBatch(range(2, 20).map((n) => badge(1, n)));
  await returned;
  assert.equal(socket.recovered, false, "part of it is lost");
  assert.notEqual(socket.id, id);
  assert.notEqual(socket._pid, pid);
  assert.equal(socket._lastOffset, offset, "what the client shows next time");
  const refused = await socket.emitWithAck("chat:message", { roomId: 7, content: "x" });
  assert.equal(refused.code, "NOT_IN_ROOM", "a fresh session");

  returned = once(socket, "connect");
  network.cut();
  await once(socket, "disconnect");
  await relay.emit(badge(1, 21));
  await returned;
  assert.equal(socket.recovered, true);
  await until(() => numbers(socket).includes(21), "the event after");
  assert.deepEqual(numbers(socket), [1, 21], "nothing of what it was told is lost");
});

test("a heartbeat keeps a quiet session inside what is kept", async (t) => {
  const { relay, network } = await house(t, { MSAB_LOG_MAX_PER_AUDIENCE: "5", MSAB_WS_PING_INTERVAL: "100ms" });
  const socket = await enter(t, network.url, 1);
  await socket.emitWithAck("room:join", { roomId: 7 });
  // Everything in the room is its own doing, so it gets nothing, and the room's history is cut.
  for (let i = 0; i < 20; ++i) {
    await relay.emit({
      room_level_up: { room_id: 7, new_level: i, new_room_xp: "0" },
      except_connection_id: socket.id,
    });
  }
  let pings = 0;
  socket.io.on("ping", () => ++pings);
  await until(() => pings >= 3, "heartbeats behind all that");
  await cutAndReturn(socket, () => network.cut());
  assert.equal(socket.recovered, true);
  assert.deepEqual(socket.log, []);
});

test("a half-open old socket harms nothing, neither at the return nor when it would have timed out", async (t) => {
  const { relay, network } = await house(t, {
    MSAB_WS_PING_INTERVAL: "300ms",
    MSAB_WS_PING_TIMEOUT: "1s",
    MSAB_ROOMS_LEAVE_GRACE: "1s",
    MSAB_WS_MAX_PER_USER: "1", // the old one's place is the new one's
  });
  const watcher = await enter(t, relay.url, 2);
  await watcher.emitWithAck("room:join", { roomId: 7 });
  const socket = await enter(t, network.url, 1);
  const id = socket.id;
  await socket.emitWithAck("room:join", { roomId: 7 });
  for (let n = 1; n <= 5; ++n) {
    await relay.emit(badge(1, n));
    await cutAndReturn(socket, () => network.half());
    assert.equal(socket.recovered, true);
    assert.equal(socket.id, id);
    const { recipients } = await relay.emit(badge(1, 100 + n));
    assert.equal(recipients.connections, 1, "the old one is gone");
  }
  await delay(2_500); // the first ones' pings would have been missed, and their graces be over
  assert.equal(socket.connected, true);
  await cutAndReturn(socket, () => network.cut());
  assert.equal(socket.recovered, true);
  await relay.emit(badge(1, 6));
  await until(() => numbers(socket).includes(6), "the last event");
  assert.deepEqual(numbers(socket), [1, 101, 2, 102, 3, 103, 4, 104, 5, 105, 6]);
  assert.equal((await socket.emitWithAck("chat:message", { roomId: 7, content: "x" })).success, true);
  await until(() => watcher.log.some((e) => e.name === "chat:message"), "the message");
  assert.deepEqual(watcher.log.map((e) => e.name), ["room:userJoined", "chat:message"], "nobody left");
  assert.equal(await relay.metric("msab_connections_closed_total", 'cause="superseded"'), 5);
  assert.equal(await relay.metric("msab_connections_closed_total", 'cause="no_pong"'), 0);
});

test("a goodbye is forgotten", async (t) => {
  const { relay } = await house(t);
  const socket = await enter(t, relay.url, 1);
  const id = socket.id;
  socket.disconnect();
  await relay.emit(badge(1, 1));
  socket.connect();
  await once(socket, "connect");
  assert.equal(socket.recovered, false);
  assert.notEqual(socket.id, id);
  await relay.emit(badge(1, 2));
  await until(() => numbers(socket).length > 0, "the next event");
  assert.deepEqual(numbers(socket), [2]);
});

test("another user's token makes a fresh session", async (t) => {
  const { relay, network } = await house(t);
  let user = 1;
  const socket = await enter(t, network.url, 1, { auth: (give) => give({ token: token(user) }) });
  const id = socket.id;
  user = 2;
  await relay.emit(badge(1, 1));
  await until(() => numbers(socket).length === 1, "an event");
  await cutAndReturn(socket, () => network.cut());
  assert.equal(socket.recovered, false);
  assert.notEqual(socket.id, id);
  await relay.emit(badge(1, 2));
  await relay.emit(badge(2, 3));
  await until(() => numbers(socket).includes(3), "the other user's event");
  assert.deepEqual(numbers(socket), [1, 3]);
});

test("a handler that throws gets its last event again, and none is lost", async (t) => {
  const { relay, network } = await house(t);
  const socket = await enter(t, network.url, 1);
  await relay.emit(badge(1, 1));
  await until(() => numbers(socket).length === 1, "an event");
  const failures = [];
  process.setUncaughtExceptionCaptureCallback((error) => failures.push(error.message));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  socket.once("badge.earned", () => {
    throw new Error("a handler's own");
  });
  await relay.emit(badge(1, 2));
  await until(() => failures.length === 1, "the error");
  await cutAndReturn(socket, () => network.cut());
  assert.equal(socket.recovered, true);
  await until(() => numbers(socket).length === 3, "it again");
  assert.deepEqual(numbers(socket), [1, 2, 2]);
});

test("a reader that is too slow is sent away, comes back and loses nothing", async (t) => {
  const { relay, network } = await house(t, { MSAB_WS_HIGH_WATER: "64KiB" });
  const socket = await enter(t, network.url, 1);
  for (const { far } of network.links) far.pause();
  const total = 8_000;
  const text = "x".repeat(200);
  const event = (n) => ({ badge_earned: { user_id: 1, badge: { id: n, name: text, image_url: text, category: "room" } } });
  for (let n = 1; n <= total; n += 1000) await relay.emitBatch(range(n, n + 999).map(event));
  await until(async () => (await relay.metric("msab_connections_closed_total", 'cause="slow_consumer"')) === 1, "its end");
  for (const { far } of network.links) far.resume();
  await until(() => numbers(socket).length >= total, "everything", 60_000);
  assert.deepEqual(numbers(socket), range(1, total));
  assert.ok(socket.recoveries.slice(1).every((recovered) => recovered));
  assert.ok(socket.recoveries.length > 1);
});

test("50,000 events under random cuts: none lost, none doubled, none out of order", { timeout: 240_000 }, async (t) => {
  const { relay, network } = await house(t, { MSAB_LOG_MAX_PER_AUDIENCE: "100000", MSAB_WS_PING_INTERVAL: "250ms" });
  const total = 50_000;
  const sockets = await Promise.all([1, 1, 2].map((user) => enter(t, network.url, user)));
  for (const socket of sockets) await socket.emitWithAck("room:join", { roomId: 7 });
  const cutters = [
    () => network.cut(), () => network.half(), () => network.halfClose(),
    () => (network.latency = network.latency > 0 ? 0 : 15),
  ];
  let emitting = true;
  const cuts = (async () => {
    let done = 0;
    for (; emitting; ++done) {
      await delay(20 + Math.random() * 200);
      cutters[Math.floor(Math.random() * cutters.length)]();
    }
    network.latency = 0;
    return done;
  })();
  // A room's, everyone's and two users' events in turn; the counts are in all of them.
  const event = (n) => {
    switch (n % 4) {
      case 0: return { room_level_up: { room_id: 7, new_level: n, new_room_xp: "0" } };
      case 1: return { asset_invalidate: { asset_ids: [String(n)] } };
      case 2: return badge(1, n);
      default: return badge(2, n);
    }
  };
  const number = ({ name, data }) =>
    ({ "room.level_up": () => data.new_level, "asset:invalidate": () => Number(data.asset_ids[0]),
       "badge.earned": () => data.badge.id })[name]?.();
  for (let n = 1; n <= total; n += 250) await relay.emitBatch(range(n, n + 249).map(event));
  emitting = false;
  const broken = await cuts;
  for (const [socket, user] of [[sockets[0], 1], [sockets[1], 1], [sockets[2], 2]]) {
    const expected = range(1, total).filter((n) => n % 4 < 2 || n % 4 === user + 1);
    const got = () => socket.log.map(number).filter((n) => n !== undefined);
    await until(() => socket.log.length >= expected.length, `all of user ${user}'s events`, 60_000);
    const wrong = got().findIndex((n, i) => n !== expected[i]);
    const around = (list) => list.slice(Math.max(0, wrong - 3), wrong + 5);
    assert.equal(wrong, -1, `got ${around(got())} where ${around(expected)} was due`);
    assert.equal(got().length, expected.length);
    assertOrdered(socket.log);
    assert.ok(socket.recoveries.slice(1).every((recovered) => recovered), "every return was a recovery");
  }
  t.diagnostic(`${broken} faults, ${sockets.map((s) => s.recoveries.length - 1)} returns`);
  assert.ok(sockets.some((socket) => socket.recoveries.length > 3));
});

test("native and Socket.IO sessions in one room see the same events in the same order", async (t) => {
  const { relay } = await house(t);
  const native = (user) => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${relay.url.replace("http", "ws")}/ws?token=${token(user)}&rooms=7`, "msab.v1");
    t.after(() => socket.close());
    socket.log = [];
    socket.on("message", (text) => {
      const frame = JSON.parse(text);
      if (frame.event === "live") resolve(socket);
      else if (frame.cursor && frame.event !== "ping") socket.log.push({ name: frame.event, data: frame.data, cursor: frame.cursor });
    });
    socket.on("error", reject);
  });
  const natives = await Promise.all([11, 12].map(native));
  const ours = await Promise.all([13, 14].map((user) => enter(t, relay.url, user)));
  for (const socket of ours) await socket.emitWithAck("room:join", { roomId: 7 });
  for (const socket of [...natives, ...ours]) socket.log.length = 0;
  await Promise.all(range(1, 300).flatMap((n) => {
    ours[n % 2].emit("chat:message", { roomId: 7, content: `socketio ${n}` });
    natives[n % 2].send(JSON.stringify({ event: "chat:message", data: { roomId: "7", content: `native ${n}` } }));
    return n % 3 === 0 ? [relay.emit({ room_level_up: { room_id: 7, new_level: n, new_room_xp: "0" } })] : [];
  }));
  const logs = [...natives, ...ours].map((socket) => socket.log);
  // The other tests' joins are announced late, if at all: compare what was said since.
  const said = (log) => log.filter((e) => e.name !== "room:userJoined");
  await until(() => logs.every((log) => said(log).length === 700), "all messages");
  for (const log of logs) {
    assert.deepEqual(said(log), said(logs[0]));
    assertOrdered(log);
  }
});
