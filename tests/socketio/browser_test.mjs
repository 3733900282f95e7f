// The same client where it lives: in a page, in headless Chromium.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { HOST, Network, Relay, badge, connected, token, until } from "./harness.mjs";

let relay, network, browser, pages, strangers;
before(async () => {
  // The application's own server, on another port and hence of another origin than the relay.
  const library = await readFile("node_modules/socket.io-client/dist/socket.io.js");
  const serve = async () => {
    const server = createServer(answer);
    await new Promise((resolve) => server.listen(0, HOST, resolve));
    server.url = `http://${HOST}:${server.address().port}`;
    return server;
  };
  const answer = (request, response) => {
    if (request.url === "/socket.io.js") {
      response.setHeader("content-type", "text/javascript");
      return response.end(library);
    }
    response.setHeader("content-type", "text/html");
    response.end('<!doctype html><title>App</title><script src="/socket.io.js"></script>');
  };
  pages = await serve();
  strangers = await serve();
  relay = await Relay.start({ MSAB_ALLOWED_ORIGINS: pages.url, MSAB_WS_PING_INTERVAL: "500ms" });
  network = await Network.start(relay.port);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
});
after(async () => {
  await browser?.close();
  network?.stop();
  pages?.close();
  strangers?.close();
  await relay?.stop();
});

// A page with a connected client that keeps what it hears.
async function visit(user) {
  const page = await browser.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(pages.url);
  await page.evaluate(
    ([relayUrl, jwt]) => {
      window.heard = [];
      window.recoveries = [];
      window.errors = [];
      window.socket = io(relayUrl, {
        transports: ["websocket"],
        auth: (give) => give({ token: jwt }),
        reconnectionDelay: 50,
        reconnectionDelayMax: 100,
      });
      socket.onAny((name, data, cursor) => heard.push({ name, data, cursor }));
      socket.on("connect", () => recoveries.push(socket.recovered === true));
      socket.on("connect_error", (error) => errors.push({ message: error.message, data: error.data }));
    },
    [network.url, token(user)],
  );
  return page;
}
const connects = (page, times = 1) => page.waitForFunction((n) => recoveries.length >= n, times);

test("connects, joins, chats and hears", async () => {
  const page = await visit(1);
  await connects(page);
  const joined = await page.evaluate(() => socket.emitWithAck("room:join", { roomId: 42 }));
  assert.equal(joined.success, true);
  assert.equal(joined.roomId, "42");
  const other = await connected(relay.url, 2);
  await other.emitWithAck("room:join", { roomId: "42" });
  await page.waitForFunction(() => heard.some((e) => e.name === "room:userJoined"));
  const sent = await page.evaluate(() => socket.emitWithAck("chat:message", { roomId: 42, content: "❤ from a page" }));
  assert.equal(sent.success, true);
  await until(() => other.log.some((e) => e.data.content === "❤ from a page"), "the message elsewhere");
  await relay.emit(badge(1, 5));
  await page.waitForFunction(() => heard.some((e) => e.name === "badge.earned" && e.data.badge.id === 5));
  other.disconnect();
  await page.close();
});

test("recovers over a cut and over a dead network, everything once and in order", async () => {
  const page = await visit(3);
  await connects(page);
  let n = 0;
  for (const how of ["cut", "half", "cut", "half"]) {
    await relay.emitBatch([1, 2, 3].map(() => badge(3, ++n)));
    network[how]();
    await relay.emitBatch([1, 2, 3].map(() => badge(3, ++n)));
  }
  await page.waitForFunction((all) => heard.length >= all, n);
  assert.deepEqual(await page.evaluate(() => heard.map((e) => e.data.badge.id)), Array.from({ length: n }, (_, i) => i + 1));
  const recoveries = await page.evaluate(() => recoveries);
  assert.equal(recoveries.shift(), false);
  assert.ok(recoveries.length > 0 && recoveries.every((recovered) => recovered), String(recoveries));
  await page.close();
});

test("a page that closes is gone, its user's other tab stays", async () => {
  const [one, two] = [await visit(4), await visit(4)];
  await connects(one);
  await connects(two);
  await one.close();
  await until(async () => (await relay.emit(badge(4, 1))).recipients.connections === 1, "the tab to be gone");
  await two.waitForFunction(() => heard.length > 0);
  await two.close();
});

test("a page of a foreign origin is told so, and tries no more", async () => {
  const page = await browser.newPage();
  await page.goto(strangers.url);
  const error = await page.evaluate(
    ([url, jwt]) =>
      new Promise((resolve) => {
        window.attempts = 0;
        const socket = io(url, { transports: ["websocket"], auth: { token: jwt }, reconnectionDelay: 20 });
        socket.io.on("reconnect_attempt", () => ++window.attempts);
        socket.on("connect_error", (e) => resolve({ message: e.message, data: e.data }));
      }),
    [relay.url, token(5)],
  );
  assert.deepEqual(error, { message: "Origin not allowed", data: { code: "ORIGIN_FORBIDDEN" } });
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => attempts), 0);
  await page.close();
});

test("a page that still polls can read what to change", async () => {
  const page = await browser.newPage();
  await page.goto(pages.url);
  const answer = await page.evaluate(async (url) => {
    const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { credentials: "include" });
    return { status: response.status, body: await response.json() };
  }, relay.url);
  assert.deepEqual(answer, { status: 400, body: { code: 0, message: "Transport unknown: set transports: ['websocket']" } });
  await page.close();
});
