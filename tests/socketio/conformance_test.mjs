// Engine.IO 4 and Socket.IO 5 over WebSocket, case by case, with a raw WebSocket: the behaviour that
// the protocol documents describe (socket.io/docs/v4/engine-io-protocol, …/socket-io-protocol), and
// what this relay says of its own on top.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { HOST, Relay, badge, delay, token, until } from "./harness.mjs";

const PING_INTERVAL = 300;
const PING_TIMEOUT = 200;

let relay;
before(async () => {
  relay = await Relay.start({
    MSAB_WS_PING_INTERVAL: `${PING_INTERVAL}ms`,
    MSAB_WS_PING_TIMEOUT: `${PING_TIMEOUT}ms`,
    MSAB_LIMITS_CLIENT_MESSAGE: "4KiB",
  });
});
after(() => relay.stop());

const QUERY = "EIO=4&transport=websocket";

// A WebSocket whose messages are read one by one. Pings are answered and left out unless `mute`.
function open(query = QUERY, { mute = false, path = "/socket.io/", headers } = {}) {
  const socket = new WebSocket(`ws://${HOST}:8080${path}?${query}`, { headers });
  const waiting = [];
  const readers = [];
  const give = (item) => (readers.length > 0 ? readers.shift()(item) : waiting.push(item));
  socket.pings = 0;
  socket.on("message", (data, binary) => {
    const text = binary ? data : data.toString();
    if (text === "2") ++socket.pings;
    if (text === "2" && !mute) return socket.send("3");
    give(text);
  });
  socket.on("close", (code, reason) => give({ code, reason: reason.toString() }));
  socket.on("unexpected-response", async (_, response) => {
    let body = "";
    for await (const chunk of response) body += chunk;
    give({ status: response.statusCode, headers: response.headers, body });
  });
  socket.on("error", () => {});
  // The next message as text, or how the connection ended: {code, reason} or {status, body}.
  socket.next = () =>
    Promise.race([
      waiting.length > 0 ? waiting.shift() : new Promise((resolve) => readers.push(resolve)),
      delay(20_000, undefined, { ref: false }).then(() => assert.fail("nothing came")),
    ]);
  return socket;
}

async function opened(options) {
  const socket = open(QUERY, options);
  assert.match(await socket.next(), /^0\{/);
  return socket;
}

// Connected to the main namespace.
async function entered(user = 1, options) {
  const socket = await opened(options);
  socket.send(`40${JSON.stringify({ token: token(user) })}`);
  const answer = await socket.next();
  assert.match(answer, /^40\{/);
  Object.assign(socket, JSON.parse(answer.slice(2)));
  return socket;
}

async function closes(socket, code) {
  let last;
  do last = await socket.next();
  while (typeof last === "string");
  assert.equal(last.code, code);
}

describe("Engine.IO handshake", () => {
  test("opens a session", async () => {
    const socket = open();
    const data = await socket.next();
    assert.equal(data[0], "0");
    const value = JSON.parse(data.slice(1));
    assert.deepEqual(Object.keys(value).sort(), ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"]);
    assert.equal(typeof value.sid, "string");
    assert.deepEqual(value.upgrades, []);
    assert.equal(value.pingInterval, PING_INTERVAL);
    assert.equal(value.pingTimeout, 20_000);
    assert.equal(value.maxPayload, 4096);
    socket.close();
  });
  test("opens without the path's last slash, and never twice under one id", async () => {
    const sids = new Set();
    for (const path of ["/socket.io", "/socket.io/", "/socket.io/"]) {
      const socket = open(QUERY, { path });
      sids.add(JSON.parse((await socket.next()).slice(1)).sid);
      socket.close();
    }
    assert.equal(sids.size, 3);
  });
  for (const [query, code, message] of [
    ["transport=websocket", 5, "Unsupported protocol version"],
    ["EIO=abc&transport=websocket", 5, "Unsupported protocol version"],
    ["EIO=3&transport=websocket", 5, "Unsupported protocol version"],
    ["EIO=4", 0, "Transport unknown"],
    ["EIO=4&transport=abc", 0, "Transport unknown"],
    ["EIO=4&transport=polling", 0, "Transport unknown: set transports: ['websocket']"],
    ["EIO=4&transport=websocket&sid=abc", 1, "Session ID unknown"],
  ]) {
    test(`refuses ?${query}`, async () => {
      const answer = await open(query).next();
      assert.equal(answer.status, 400);
      assert.match(answer.headers["content-type"], /^application\/json/);
      assert.deepEqual(JSON.parse(answer.body), { code, message });
    });
    test(`refuses ?${query} without an upgrade`, async () => {
      const answer = await fetch(`${relay.url}/socket.io/?${query}`);
      assert.equal(answer.status, 400);
      assert.deepEqual(await answer.json(), { code, message });
    });
  }
  test("refuses another method, and a request that is no upgrade", async () => {
    for (const [method, code] of [["POST", 2], ["PUT", 2], ["GET", 3]]) {
      const answer = await fetch(`${relay.url}/socket.io/?${QUERY}`, { method });
      assert.equal(answer.status, 400);
      assert.equal((await answer.json()).code, code);
    }
  });
});

describe("Engine.IO packets", () => {
  for (const packet of ["abc", "", "7", "-1", "\u0000", "0{}", "5", "b4aGk=", " 3"]) {
    test(`closes upon ${JSON.stringify(packet)}`, async () => {
      const socket = await opened();
      socket.send(packet);
      await closes(socket, 4502);
    });
  }
  for (const packet of ["2", "2probe"]) {
    test(`closes upon a ping of the client, ${packet}`, async () => {
      const socket = await opened();
      socket.send(packet);
      await closes(socket, 4502);
    });
  }
  test("takes a noop", async () => {
    const socket = await entered();
    socket.send("6");
    socket.send('421["ping"]');
    assert.equal(await socket.next(), '431[{"success":true}]');
    socket.close();
  });
  test("closes upon a binary message that belongs to nothing", async () => {
    const socket = await opened();
    socket.send(Buffer.from([1, 2, 3, 4]));
    await closes(socket, 4502);
  });
  test("closes upon a message over maxPayload", async () => {
    const socket = await opened();
    socket.send(`4${"x".repeat(5000)}`);
    await closes(socket, 1009);
  });
});

describe("Engine.IO heartbeat", () => {
  test("sends pings, before CONNECT and after, whatever else is sent", async () => {
    for (const start of [() => opened({ mute: true }), () => entered(1, { mute: true })]) {
      const socket = await start();
      for (let i = 1; i <= 3; ++i) {
        await relay.emit(badge(1, i));
        let packet;
        do packet = await socket.next();
        while (packet !== "2");
        socket.send("3");
      }
      socket.close();
    }
  });
  test("pings once an interval", async () => {
    const socket = await entered();
    const begin = Date.now();
    await until(() => socket.pings === 4, "four pings");
    const each = (Date.now() - begin) / 4;
    assert.ok(each > PING_INTERVAL - 100, `${each} ms each`);
    socket.close();
  });
  test("closes a session that answers none", async () => {
    for (const start of [() => opened({ mute: true }), () => entered(1, { mute: true })]) {
      const socket = await start();
      await closes(socket, 4002);
      assert.equal(socket.pings, 1);
    }
  });
  test("takes a pong that nobody asked for", async () => {
    const socket = await entered();
    for (let i = 0; i < 5; ++i) socket.send("3");
    socket.send('421["ping"]');
    assert.equal(await socket.next(), '431[{"success":true}]');
    socket.close();
  });
});

describe("Engine.IO close", () => {
  test("a close packet closes the session, which can be recovered", async () => {
    const socket = await entered();
    socket.send("1");
    await closes(socket, 1000);
    const again = await opened();
    again.send(`40${JSON.stringify({ token: token(1), pid: socket.pid })}`);
    assert.deepEqual(JSON.parse((await again.next()).slice(2)), { sid: socket.sid, pid: socket.pid });
    again.close();
  });
});

describe("Socket.IO connect", () => {
  test("to the main namespace, by either name", async () => {
    for (const start of ["40", "40/,"]) {
      const socket = await opened();
      socket.send(start + JSON.stringify({ token: token(1) }));
      const answer = await socket.next();
      assert.match(answer, /^40\{/);
      const { sid, pid, ...rest } = JSON.parse(answer.slice(2));
      assert.equal(typeof sid, "string");
      assert.equal(typeof pid, "string");
      assert.deepEqual(rest, {});
      socket.close();
    }
  });
  test("without a payload: refused", async () => {
    const socket = await opened();
    socket.send("40");
    assert.equal(await socket.next(), '44{"message":"Authentication required","data":{"code":"UNAUTHENTICATED"}}');
    await closes(socket, 4500);
  });
  test("to an unknown namespace: refused, and the connection stays", async () => {
    const socket = await opened();
    socket.send("40/random");
    assert.equal(await socket.next(), '44/random,{"message":"Invalid namespace"}');
    socket.send('40/custom,{"token":"abc"}');
    assert.equal(await socket.next(), '44/custom,{"message":"Invalid namespace"}');
    socket.send(`40${JSON.stringify({ token: token(1) })}`);
    assert.match(await socket.next(), /^40\{/);
    socket.send("40/random");
    assert.equal(await socket.next(), '44/random,{"message":"Invalid namespace"}');
    socket.close();
  });
  test("with an invalid handshake: closed", async () => {
    for (const packet of ["4abc", "40{", '40{"token":"x"}}', "44{}"]) {
      const socket = await opened();
      socket.send(packet);
      assert.equal((await socket.next()).code, 4502, packet);
    }
  });
  test("with a payload that is no object: refused, too, for an application may have given it", async () => {
    for (const packet of ["40[]", "40null", "40true", '40"token"', "40/,[]"]) {
      const socket = await opened();
      socket.send(packet);
      assert.equal(await socket.next(), '44{"message":"Authentication required","data":{"code":"UNAUTHENTICATED"}}');
      assert.equal((await socket.next()).code, 4502, packet);
    }
  });
  test("a repeated CONNECT is ignored, also before the first is answered", async () => {
    const socket = await opened();
    const connect = (user) => `40${JSON.stringify({ token: token(user) })}`;
    for (const user of [1, 2, 3]) socket.send(connect(user));
    socket.send('421["ping"]');
    assert.match(await socket.next(), /^40\{/);
    assert.equal(await socket.next(), '431[{"success":true}]');
    socket.send(connect(2));
    socket.send('422["ping"]');
    assert.equal(await socket.next(), '432[{"success":true}]');
    const { recipients } = await relay.emit({
      target: { user_ids: { ids: [1, 2, 3] } },
      agency_dissolved: { agency_id: 1, agency_name: "A" },
    });
    assert.equal(recipients.connections, 1, "the first one's user");
    assert.match(await socket.next(), /^42\["agency.dissolved"/);
    socket.close();
  });
  test("an event before it: closed", async () => {
    for (const packet of ['42["room:join",{}]', '421["ping"]', '451-["x",{"_placeholder":true,"num":0}]']) {
      const socket = await opened();
      socket.send(packet);
      await closes(socket, 4502);
    }
  });
});

describe("Socket.IO disconnect", () => {
  test("from the main namespace: the transport stays and beats", async () => {
    const socket = await entered(1, { mute: true });
    socket.send("41");
    assert.equal(await socket.next(), "2");
    const { recipients } = await relay.emit(badge(1, 1));
    assert.equal(recipients.connections, 0);
    socket.close();
  });
  test("from a namespace that was never connected: ignored", async () => {
    const socket = await entered();
    socket.send("41/custom");
    socket.send('421["ping"]');
    assert.equal(await socket.next(), '431[{"success":true}]');
    socket.close();
  });
});

describe("Socket.IO messages", () => {
  test("an event with an acknowledgement", async () => {
    const socket = await entered();
    socket.send('42456["room:leave",{"roomId":"r"}]');
    assert.equal(await socket.next(), '43456[{"success":true}]');
    socket.send('42/,457["room:leave",{"roomId":"r"},"more",[true]]');
    assert.equal(await socket.next(), '43457[{"success":true}]');
    socket.send('420["no:such"]');
    assert.equal(await socket.next(), '430[{"success":false,"error":"no such command","code":"UNKNOWN_EVENT"}]');
    socket.close();
  });
  test("an event without one is not answered", async () => {
    const socket = await entered();
    socket.send('42["room:leave",{"roomId":"r"}]');
    socket.send('42["no:such",1,"2",{"3":[true]}]');
    socket.send('421["ping"]');
    assert.equal(await socket.next(), '431[{"success":true}]');
    socket.close();
  });
  test("an event for the client has its cursor as last argument", async () => {
    const socket = await entered(77);
    const { cursor } = await relay.emit(badge(77, 3));
    const packet = await socket.next();
    assert.equal(packet, `42["badge.earned",${JSON.stringify(badge(77, 3).badge_earned)},"${cursor}"]`);
    socket.close();
  });
  test("binary attachments are taken, and the event refused", async () => {
    const socket = await entered();
    socket.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(Buffer.from([4, 5, 6]));
    socket.send('452-789["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    socket.send(Buffer.from([1, 2, 3]));
    socket.send("3");
    socket.send(Buffer.alloc(0));
    const answer = await socket.next();
    assert.match(answer, /^43789\[/);
    assert.equal(JSON.parse(answer.slice(5))[0].code, "INVALID_PAYLOAD");
    socket.send('461-5[{"_placeholder":true,"num":0}]'); // a binary acknowledgement
    socket.send(Buffer.from([1]));
    socket.send("433[]"); // and one without
    socket.send('421["ping"]');
    assert.equal(await socket.next(), '431[{"success":true}]');
    socket.close();
  });
  test("more attachments than were announced: closed", async () => {
    const socket = await entered();
    socket.send('451-["message",{"_placeholder":true,"num":0}]');
    socket.send(Buffer.from([1]));
    socket.send(Buffer.from([2]));
    await closes(socket, 4502);
  });
  for (const [what, packets] of Object.entries({
    "an unknown packet type": ["4abc"],
    "an invalid payload format": ["42{}"],
    "an invalid ack id": ['42abc["message-with-ack",1,"2",{"3":[false]}]'],
    "no payload": ["42"],
    "an empty array": ["42[]"],
    "a name that is no string": ["42[{}]"],
    "JSON that does not end": ['42["message"'],
    "text after the JSON": ['42["message"]x'],
    "a number beyond JSON's": ['42["message",1e999]'],
    "no attachments": ['450-["message"]'],
    "attachments without a number": ['45-["message"]'],
    "text where an attachment is due": ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
    "a payload of DISCONNECT": ["41{}"],
    "an event of another namespace": ['42/custom,["message"]'],
    "a CONNECT_ERROR": ['44{"message":"x"}'],
  })) {
    test(`closes upon ${what}, and says not to come back`, async () => {
      const socket = await entered();
      for (const packet of packets) socket.send(packet);
      const event = await socket.next();
      assert.match(event, /^42\["session:closed",\{/);
      assert.equal(JSON.parse(event.slice(2))[1].code, 4502);
      assert.equal(await socket.next(), "41");
      await closes(socket, 4502);
    });
  }
  for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
    test(`closes upon the reserved name ${name}`, async () => {
      const socket = await entered();
      socket.send(`42${JSON.stringify([name])}`);
      await closes(socket, 4502);
    });
  }
});

describe("Recovery", () => {
  // Connects with these beside the token; the answer.
  async function connect(user, more) {
    const socket = await opened();
    socket.send(`40${JSON.stringify({ token: token(user), ...more })}`);
    const answer = await socket.next();
    assert.match(answer, /^40\{/);
    return Object.assign(socket, JSON.parse(answer.slice(2)));
  }
  // Gone without a word, as by a cut.
  async function lost(user) {
    const socket = await entered(user);
    const ended = socket.next();
    socket.terminate();
    await ended;
    return socket;
  }

  test("goes on under the same ids, with what was missed", async () => {
    const before = await lost(60);
    await relay.emit(badge(60, 1));
    const { cursor } = await relay.emit(badge(60, 2));
    const again = await connect(60, { pid: before.pid });
    assert.equal(again.sid, before.sid);
    assert.equal(again.pid, before.pid);
    for (const n of [1, 2]) assert.equal(JSON.parse((await again.next()).slice(2))[1].badge.id, n);
    again.terminate();
    const last = await connect(60, { pid: before.pid, offset: cursor });
    assert.equal(last.sid, before.sid);
    last.send('421["ping"]');
    assert.equal(await last.next(), '431[{"success":true}]', "nothing before it");
    last.close();
  });
  test("an offset that says nothing is ignored", async () => {
    const before = await lost(61);
    const { cursor } = await relay.emit(badge(61, 1));
    const [epoch, number] = cursor.split("-");
    for (const offset of [
      null, "", "x", 17, {}, [cursor], `${epoch}-`, `${epoch}-x`, `-${number}`, `x${epoch}-${number}`, number,
      `${epoch}-${Number(number) + 1000}`, `${epoch}-99999999999999999999999`, `${epoch}-0`, "9".repeat(3000),
    ]) {
      const again = await connect(61, { pid: before.pid, offset });
      assert.equal(again.pid, before.pid, String(offset));
      assert.match(await again.next(), new RegExp(`^42\\["badge.earned",.*"${cursor}"\\]$`));
      again.terminate();
    }
  });
  test("a pid that is nobody's, or another's, makes a fresh session", async () => {
    const others = await lost(62);
    await relay.emit(badge(62, 1));
    for (const pid of ["", "x", "9".repeat(3000), 17, null, {}, [others.pid], others.pid, others.sid, `${others.pid} `]) {
      const fresh = await connect(63, { pid });
      for (const id of [others.pid, others.sid, pid]) {
        assert.notEqual(fresh.pid, id);
        assert.notEqual(fresh.sid, id);
      }
      fresh.send('421["ping"]');
      assert.equal(await fresh.next(), '431[{"success":true}]', "nothing of the other's");
      fresh.close();
    }
    const own = await connect(62, { pid: others.pid });
    assert.equal(own.sid, others.sid, "unharmed");
    own.close();
  });
  test("a connection that is still open is closed without a packet", async () => {
    const old = await entered(64);
    const fresh = await connect(64, { pid: old.pid });
    assert.equal(fresh.sid, old.sid);
    assert.deepEqual(await old.next(), { code: 1000, reason: "" });
    const { recipients } = await relay.emit(badge(64, 1));
    assert.equal(recipients.connections, 1);
    assert.match(await fresh.next(), /^42\["badge.earned"/);
    fresh.close();
  });
  test("a goodbye forgets the session", async () => {
    const before = await entered(65);
    before.send("41");
    before.send("1");
    await closes(before, 1000);
    const fresh = await connect(65, { pid: before.pid });
    assert.notEqual(fresh.pid, before.pid);
    assert.notEqual(fresh.sid, before.sid);
    fresh.close();
  });
});
