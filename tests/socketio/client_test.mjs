// An unmodified socket.io-client: connecting, refusals, acknowledgements, reconnecting.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { io } from "socket.io-client";
import { Relay, assertOrdered, badge, client, connected, delay, numbers, once, token, until } from "./harness.mjs";

let relay;
before(async () => (relay = await Relay.start({ MSAB_ROOMS_LEAVE_GRACE: "2s" })));
after(() => relay.stop());

// Counts how often the client tries to connect from now on.
function attempts(socket) {
  const seen = { count: 0 };
  socket.io.on("reconnect_attempt", () => ++seen.count);
  return seen;
}

test("connects, and says it is no recovery", async () => {
  const socket = await connected(relay.url, 1);
  assert.match(socket.id, /^[A-Za-z0-9_-]{15}$/);
  assert.equal(socket.recovered, false);
  socket.disconnect();
});

test("connects on the path without its last slash, too", async () => {
  const socket = await connected(relay.url, 1, { path: "/socket.io", addTrailingSlash: false });
  socket.disconnect();
});

test("takes the token that an auth callback fetches first", async () => {
  const socket = await connected(relay.url, 1, {
    auth: (give) => setTimeout(() => give({ token: token(1) }), 300),
  });
  socket.disconnect();
});

for (const [what, auth, message, data] of [
  ["no token", {}, "Authentication required", { code: "UNAUTHENTICATED" }],
  ["an unreadable token", { token: "nonsense" }, "Invalid credentials", { code: "UNAUTHENTICATED" }],
  ["a token of another key", { token: token(1, { secret: "x".repeat(40) }) }, "Invalid credentials", { code: "UNAUTHENTICATED" }],
  ["an expired token", { token: token(1, { expiresIn: -10 }) }, "Token expired", { code: "TOKEN_EXPIRED" }],
]) {
  test(`refuses ${what}, which ends the retries`, async () => {
    const socket = client(relay.url, 1, { auth });
    const tried = attempts(socket);
    const [error] = await once(socket, "connect_error");
    assert.equal(error.message, message);
    assert.deepEqual(error.data, data);
    await delay(300);
    assert.equal(socket.connected, false);
    assert.equal(tried.count, 0);
    assert.equal(socket.active, false);
    socket.disconnect();
  });
}

for (const [what, auth] of [
  ["a string", token(1)],
  ["a list", [token(1)]],
  ["a truth", true],
  ["nothing", null],
]) {
  for (const [how, given] of [["gives", (give) => give(auth)], ["is", auth]]) {
    test(`refuses whose auth ${how} ${what}, which ends the retries`, async () => {
      // Not by the harness, which would put a good one in the place of null.
      const socket = io(relay.url, { transports: ["websocket"], forceNew: true, reconnectionDelay: 20, auth: given });
      const tried = attempts(socket);
      const [error] = await once(socket, "connect_error");
      assert.equal(error.message, "Authentication required");
      assert.deepEqual(error.data, { code: "UNAUTHENTICATED" });
      await until(() => !socket.io.engine || socket.io.engine.readyState === "closed", "the connection's end");
      assert.equal(socket.active, false);
      await delay(100);
      assert.equal(tried.count, 0);
    });
  }
}

test("who breaks the protocol is told so, and does not come back", async () => {
  const socket = await connected(relay.url, 1);
  const tried = attempts(socket);
  const closed = once(socket, "session:closed");
  const gone = once(socket, "disconnect");
  socket.io.engine.write('2["disconnect"]'); // the library itself wouldn't
  const [told] = await closed;
  assert.equal(told.code, 4502);
  assert.equal(told.reason, "protocol error: a reserved event name");
  assert.equal((await gone)[0], "io server disconnect");
  assert.equal(socket.active, false);
  await delay(100);
  assert.equal(tried.count, 0);
});

test("who sends too much at once loses the connection, not the session", async () => {
  const socket = await connected(relay.url, 1);
  await socket.emitWithAck("room:join", { roomId: "large" });
  const back = once(socket, "connect");
  const gone = once(socket, "disconnect");
  socket.emit("chat:message", { roomId: "large", content: "x".repeat(17_000) });
  assert.equal((await gone)[0], "transport close");
  await back;
  assert.equal(socket.recovered, true);
  assert.equal((await socket.emitWithAck("chat:message", { roomId: "large", content: "x" })).success, true);
  socket.disconnect();
});

test("an application renews an expired token from within connect_error", async () => {
  let current = token(1, { expiresIn: -10 });
  const socket = client(relay.url, 1, { auth: (give) => give({ token: current }) });
  socket.on("connect_error", (error) => {
    assert.equal(error.data.code, "TOKEN_EXPIRED");
    current = token(1);
    socket.connect();
  });
  await once(socket, "connect");
  socket.disconnect();
});

test("refuses another namespace, and keeps the connection for the main one", async () => {
  const main = await connected(relay.url, 1);
  const other = main.io.socket("/admin", {});
  other.connect();
  const [error] = await once(other, "connect_error");
  assert.equal(error.message, "Invalid namespace");
  assert.equal((await main.emitWithAck("room:leave", { roomId: 1 })).success, true);
  main.disconnect();
});

test("answers room:join with a snapshot and its cursor, for a number and a string", async () => {
  const socket = await connected(relay.url, 5);
  const answer = await socket.emitWithAck("room:join", { roomId: 55 });
  assert.deepEqual(Object.keys(answer), ["success", "roomId", "participants", "cursor"]);
  assert.equal(answer.success, true);
  assert.equal(answer.roomId, "55");
  assert.deepEqual(answer.participants, [{ id: 5, name: "User 5", avatar: null }]);
  assert.match(answer.cursor, /^[0-9a-z]{1,16}-\d+$/);
  const again = await socket.emitWithAck("room:join", { roomId: "55" });
  assert.equal(again.roomId, "55");
  // The emitter's number 55 is the same room.
  const leveled = once(socket, "room.level_up");
  await relay.emit({ room_level_up: { room_id: 55, new_level: 2, new_room_xp: "1" } });
  await leveled;
  socket.disconnect();
});

test("says why a command was refused", async () => {
  const socket = await connected(relay.url, 1);
  const refused = async (event, ...data) => {
    const answer = await socket.emitWithAck(event, ...data);
    assert.equal(answer.success, false);
    assert.equal(typeof answer.error, "string");
    return answer.code;
  };
  assert.equal(await refused("room:join", { roomId: "no such id!" }), "INVALID_PAYLOAD");
  assert.equal(await refused("room:join", "42"), "INVALID_PAYLOAD");
  assert.equal(await refused("room:join"), "INVALID_PAYLOAD");
  assert.equal(await refused("room:join", { roomId: "private-1" }), "ROOM_FORBIDDEN");
  assert.equal(await refused("chat:message", { roomId: 404, content: "x" }), "NOT_IN_ROOM");
  assert.equal(await refused("no:such", {}), "UNKNOWN_EVENT");
  assert.equal(await refused("chat:message", Buffer.from("binary")), "INVALID_PAYLOAD");
  assert.equal(await refused("chat:message", { roomId: 1, file: Buffer.alloc(100) }, Buffer.alloc(3)), "INVALID_PAYLOAD");
  assert.equal(await refused("auth", { token: token(2) }), "UNAUTHENTICATED");
  // It is still there, and answers in order.
  const answers = await Promise.all([1, 2, 3].map((id) => socket.emitWithAck("room:leave", { roomId: id })));
  assert.deepEqual(answers, [{ success: true }, { success: true }, { success: true }]);
  socket.disconnect();
});

test("takes the older scalar recipientId of gift:send", async () => {
  const socket = await connected(relay.url, 6);
  await socket.emitWithAck("room:join", { roomId: "gifts" });
  const failed = once(socket, "gift:error");
  const answer = await socket.emitWithAck("gift:send", { roomId: "gifts", giftId: 7, recipientId: 43, quantity: 1, transactionId: "t-1" });
  // Nobody decides on gifts here: what matters is that the command was understood.
  assert.equal(answer.success, false);
  assert.equal(answer.code, "UPSTREAM_UNAVAILABLE");
  const [error, cursor] = await failed;
  assert.equal(error.transactionId, "t-1");
  assert.equal(typeof cursor, "string");
  socket.disconnect();
});

test("answers before an acknowledgement times out, and a command without one not at all", async () => {
  const socket = await connected(relay.url, 1);
  socket.emit("room:join", { roomId: 9 });
  const answer = await socket.timeout(20_000).emitWithAck("chat:message", { roomId: 9, content: "hello" });
  assert.equal(answer.success, true);
  const [message] = socket.log.length > 0 ? [socket.log[0].data] : await once(socket, "chat:message");
  assert.equal(message.id, answer.id);
  socket.disconnect();
});

test("renews a token in place", async () => {
  const auth = { token: token(1, { expiresIn: 3 }) };
  const socket = await connected(relay.url, 1, { auth });
  const other = await connected(relay.url, 1, { auth, reconnection: false });
  const answer = await socket.emitWithAck("auth", { token: token(1, { expiresIn: 600 }) });
  assert.equal(answer.success, true);
  assert.ok(answer.tokenExpiresAt > Date.now() + 500_000);
  const refused = await other.emitWithAck("auth", { token: token(1, { expiresIn: -1 }) });
  assert.equal(refused.code, "UNAUTHENTICATED");
  assert.deepEqual((await other.emitWithAck("auth", {})).details, [{ field: "token", description: "is required" }]);
  await once(other, "disconnect"); // at the end of the token that both came with
  assert.equal((await socket.emitWithAck("ping")).success, true);
  assert.deepEqual(socket.recoveries, [false]);
  socket.disconnect();
});

test("sends away whose token ends, who comes back with a new one and loses nothing", async () => {
  let life = 2;
  const socket = await connected(relay.url, 8, { auth: (give) => give({ token: token(8, { expiresIn: life }) }) });
  life = 600;
  const [reason] = await once(socket, "disconnect");
  assert.equal(reason, "transport close");
  const returned = once(socket, "connect");
  await relay.emit(badge(8, 1));
  await returned;
  await until(() => numbers(socket).length === 1, "the event");
  assert.deepEqual(socket.recoveries, [false, true]);
  socket.disconnect();
});

test("a connection is excepted by its socket id", async () => {
  const [one, two] = [await connected(relay.url, 9), await connected(relay.url, 9)];
  const { recipients } = await relay.emit({ ...badge(9, 1), except_connection_id: one.id });
  assert.equal(recipients.connections, 1);
  await relay.emit(badge(9, 2));
  await until(() => numbers(one).includes(2) && numbers(two).includes(2), "the marker");
  assert.deepEqual(numbers(one), [2]);
  assert.deepEqual(numbers(two), [1, 2]);
  one.disconnect();
  two.disconnect();
});

test("who disconnects leaves at once, who is cut off after the grace, who comes back before that not at all", async () => {
  const enter = async (user, options) => {
    const socket = await connected(relay.url, user, options);
    await socket.emitWithAck("room:join", { roomId: "leaving" });
    return socket;
  };
  const watcher = await enter(20);
  const back = await enter(21);
  const lost = await enter(22, { reconnection: false });
  const goer = await enter(23);
  await until(() => watcher.log.length === 3, "their coming");
  // In this order: were the goodbye's grace the same, it would come last.
  back.io.engine.close();
  await once(back, "connect");
  assert.equal(back.recovered, true);
  lost.io.engine.close();
  goer.disconnect();
  await until(() => watcher.log.length === 5, "two to leave");
  assert.deepEqual(watcher.log.slice(3).map((e) => [e.name, e.data.userId]), [["room:userLeft", 23], ["room:userLeft", 22]]);
  watcher.disconnect();
  back.disconnect();
});

test("two tabs of one user get the same, each its own session", async () => {
  const tabs = [await connected(relay.url, 30), await connected(relay.url, 30)];
  assert.notEqual(tabs[0].id, tabs[1].id);
  await tabs[0].emitWithAck("room:join", { roomId: "tabs" });
  await tabs[1].emitWithAck("room:join", { roomId: "tabs" });
  tabs[0].io.engine.close();
  await relay.emitBatch([1, 2, 3].map((n) => badge(30, n)));
  await until(() => tabs.every((tab) => numbers(tab).length === 3), "the events");
  assert.deepEqual(numbers(tabs[0]), [1, 2, 3]);
  assert.deepEqual(numbers(tabs[1]), [1, 2, 3]);
  assert.deepEqual(tabs[0].recoveries, [false, true]);
  assert.deepEqual(tabs[1].recoveries, [false]);
  tabs.forEach((tab) => tab.disconnect());
});

test("a page's cursor fills what happened before its first connection", async () => {
  const cursor = await relay.cursor();
  await relay.emit(badge(40, 1));
  const socket = client(relay.url, 40, { auth: { token: token(40), cursor } });
  await until(() => numbers(socket).length === 1, "what happened meanwhile");
  // The same cursor is shown at every reconnect, and does no harm.
  socket.io.engine.close();
  await once(socket, "connect");
  assert.equal(socket.recovered, true);
  await relay.emit(badge(40, 2));
  await until(() => numbers(socket).includes(2), "the next");
  assert.deepEqual(numbers(socket), [1, 2]);
  assertOrdered(socket.log);
  socket.disconnect();
});

// Its record is gone with the goodbye, so what `auth` shows is where it begins.
test("a page's cursor that is shown again after a goodbye begins there again", async () => {
  let cursor = await relay.cursor();
  await relay.emit(badge(42, 1));
  const socket = client(relay.url, 42, { auth: (give) => give({ token: token(42), cursor }) });
  await until(() => numbers(socket).length === 1, "what happened meanwhile");
  socket.disconnect();
  socket.connect();
  await until(() => numbers(socket).length === 2, "the same again");
  socket.disconnect();
  cursor = undefined; // as the README says
  await relay.emit(badge(42, 2));
  socket.connect();
  await once(socket, "connect");
  await relay.emit(badge(42, 3));
  await until(() => numbers(socket).length === 3, "the next");
  assert.deepEqual(numbers(socket), [1, 1, 3]);
  assert.deepEqual(socket.recoveries, [false, false, false]);
  socket.disconnect();
});

test("a page's cursor of another log is told as a gap", async () => {
  const socket = client(relay.url, 41, { auth: { token: token(41), cursor: "elsewhere-5" } });
  assert.deepEqual((await once(socket, "gap"))[0], { gap: "epoch" });
  assert.equal(socket.recovered, false);
  socket.disconnect();
});
