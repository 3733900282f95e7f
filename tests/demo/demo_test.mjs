// The demo page as a person uses it, over a real relay, in a real browser.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { startApplication } from "./application.mjs";
import {
  ALL,
  AMIRA,
  BEN,
  CHLOE,
  HOST,
  KEY,
  PAGE,
  openDemo,
  startBrowser,
  startRelay,
} from "./harness.mjs";

let browser;
let relay;
let demo;

before(async () => {
  relay = await startRelay();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await relay?.stop();
});

// What the page must never do, whatever the test was about.
function assertClean(allowed = []) {
  const errors = demo.errors.filter((text) => !allowed.some((pattern) => pattern.test(text)));
  assert.deepEqual(errors, []);
  const foreign = demo.requests.filter(
    (url) => new URL(url).hostname !== HOST && !url.startsWith("data:"),
  );
  assert.deepEqual(foreign, []);
}
// A browser logs each answer of 400 and up, whatever the page does with it.
const REFUSED = /status of 400/;

describe("each event", () => {
  before(async () => (demo = await openDemo(browser)));
  after(async () => {
    assertClean();
    await demo.close();
  });

  // What an event looks like to who gets it: the locator of it, in a card, under a text of its own.
  const noticed = (event) => (user, text) => demo.notice(user, event, text);
  const CASES = [
    {
      event: "balance.updated",
      to: [BEN],
      mark: ["coins", "987654"],
      shows: (user) => demo.card(user).locator('[data-field="coins"]', { hasText: "987,654" }),
    },
    { event: "reward.earned", to: [AMIRA], mark: ["reward", "description", "for the test"] },
    { event: "badge.earned", to: [CHLOE], mark: ["badge", "name", "Test Badge"] },
    {
      event: "income_target.completed",
      to: [BEN],
      mark: ["target", "reward_coins", "4242"],
      text: "4,242",
    },
    {
      event: "room.level_up",
      to: [AMIRA, BEN],
      choice: false,
      mark: ["new_level", 77],
      shows: (user) => demo.card(user).locator(".level", { hasText: "Level 77" }),
    },
    { event: "agency.invitation", to: [CHLOE], mark: ["agency", "name", "Agency One"] },
    { event: "agency.join_request", to: [AMIRA], mark: ["user", "name", "Applicant Two"] },
    { event: "agency.join_request_approved", to: [BEN], mark: ["agency_name", "Agency Three"] },
    { event: "agency.join_request_rejected", to: [CHLOE], mark: ["agency_name", "Agency Four"] },
    { event: "agency.member_kicked", to: [AMIRA], mark: ["reason", "reason five"] },
    { event: "agency.dissolved", to: [AMIRA, CHLOE], mark: ["agency_name", "Agency Six"] },
    { event: "config:invalidate", to: ALL, choice: false, mark: ["version", "config-seven"] },
    {
      event: "asset:invalidate",
      to: ALL,
      choice: false,
      mark: ["asset_ids", ["asset-eight"]],
      text: "asset-eight",
    },
    { event: "gift:error", to: [BEN], mark: ["reason", "reason nine"] },
  ];

  for (const {
    event,
    to,
    choice = true,
    mark,
    text = mark.at(-1),
    shows = noticed(event),
  } of CASES) {
    test(`${event} is seen by whom it is for, and by nobody else`, async () => {
      await demo.choose(event, choice ? to : undefined);
      await demo.edit(...mark);
      const answer = await demo.emit();
      assert.match(answer, new RegExp(`${to.length} of ${to.length} online`));
      await demo.settle();
      for (const user of to) await shows(user, text).waitFor({ state: "attached" });
      for (const user of ALL) {
        assert.equal(await shows(user, text).count(), to.includes(user) ? 1 : 0, `user ${user}`);
      }
    });
  }

  test("the panel has all events of the contract, the requirement's 13 first", async () => {
    const response = await fetch(`${PAGE}/v1/contract`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    const { messages } = (await response.json()).components;
    const names = Object.values(messages)
      .filter((message) => message["x-emit-field"])
      .map(({ name }) => name);
    const shown = await demo.page
      .locator('input[name="event"]')
      .evaluateAll((inputs) => inputs.map(({ value }) => value));
    assert.deepEqual(shown, names);
    assert.deepEqual(
      shown.slice(0, 13),
      CASES.slice(0, 13).map(({ event }) => event),
    );
  });

  test("a sample of each is valid as it is", async () => {
    const names = await demo.page
      .locator('input[name="event"]')
      .evaluateAll((inputs) => inputs.map(({ value }) => value));
    for (const name of names) {
      await demo.choose(name);
      assert.match(await demo.emit(), /online/, name);
    }
  });

  test("speaker:active puts a ring around who speaks, in the room only", async () => {
    await demo.choose("speaker:active");
    await demo.emit();
    const speaking = (user) => demo.card(user).locator(`.is-speaking[data-user="${AMIRA}"]`);
    await Promise.all([AMIRA, BEN].map((user) => speaking(user).waitFor()));
    assert.equal(await speaking(CHLOE).count(), 0);
    await demo.edit("userId", "");
    await demo.edit("activeSpeakers", []);
    await demo.emit();
    await Promise.all([AMIRA, BEN].map((user) => speaking(user).waitFor({ state: "detached" })));
  });

  test("gift:received flies in the room", async () => {
    await demo.choose("gift:received");
    await demo.edit("quantity", 55);
    await demo.emit();
    await Promise.all(
      [AMIRA, BEN].map((user) => demo.card(user).locator(".flying", { hasText: "×55" }).waitFor()),
    );
    await demo.settle();
    const told = { hasText: "Amira gave Ben 55 × Rose" };
    for (const user of [AMIRA, BEN])
      assert.equal(await demo.card(user).locator(".chat li", told).count(), 1);
    assert.equal(await demo.card(CHLOE).locator(".chat li", told).count(), 0);
  });

  test("a badge is on the shelf and earned once, however often it is told", async () => {
    await demo.choose("badge.earned", [BEN]);
    await demo.edit("badge", "name", "Twice");
    await demo.emit();
    await demo.emit();
    await demo.settle();
    assert.equal(await demo.card(BEN).locator(".badge", { hasText: "Twice" }).count(), 1);
    assert.equal(await demo.notice(BEN, "badge.earned", "Twice").count(), 1);
  });

  test("a repeat under the same event id is told as one, and not delivered", async () => {
    await demo.choose("gift:received");
    await demo.edit("quantity", 66);
    await demo.emit();
    assert.match(await demo.emit("#repeat"), /duplicate/);
    await demo.settle();
    assert.equal(await demo.card(BEN).locator(".chat li", { hasText: "66 × Rose" }).count(), 1);
  });

  test("what a payload says is text, never markup", async () => {
    const evil = '<img src=x onerror="document.title=1"><b>bold</b>';
    await demo.choose("reward.earned", [AMIRA]);
    await demo.edit("reward", "description", evil);
    await demo.emit();
    await demo.notice(AMIRA, "reward.earned", evil).waitFor({ state: "attached" });
    assert.equal(await demo.page.locator(".inbox img, .inbox b").count(), 0);
  });

  test("each live delivery is a dot in the latency plot", async () => {
    await demo.settle();
    const dots = demo.page.locator(".plot circle");
    const numbers = demo.page.locator(".numbers");
    await demo.page.waitForFunction(() => document.querySelectorAll(".plot circle").length > 60);
    const shown = /^Last (\d+) deliveries: median [\d.]+ ms, 95 % within [\d.]+ ms/;
    const [, told] = shown.exec(await numbers.innerText());
    assert.equal(await dots.count(), Number(told));
    // A smaller screen shows fewer, none of them cut off or squeezed.
    await demo.page.setViewportSize({ width: 390, height: 844 });
    await demo.page.waitForFunction(
      (before) => document.querySelectorAll(".plot circle").length < before,
      Number(told),
    );
    const apart = await dots.evaluateAll((all) => all.slice(-2).map((dot) => dot.cx.baseVal.value));
    assert.equal(apart[1] - apart[0], 9);
    const left = await dots.first().evaluate((dot) => dot.cx.baseVal.value);
    assert.ok(left >= 64, `${left}`);
  });
});

describe("the page", () => {
  beforeEach(async () => (demo = await openDemo(browser)));
  afterEach(async () => demo.close());

  test("shows every violation of a payload that breaks the contract, as the relay tells them", async () => {
    const names = await demo.page
      .locator('input[name="event"]')
      .evaluateAll((inputs) => inputs.map(({ value }) => value));
    for (const name of names) {
      await demo.choose(name);
      await demo.page.click("#break");
      const body = await demo.page.locator("#request").inputValue();
      await demo.emit();
      const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
      const refusal = await (
        await fetch(`${PAGE}/v1/events:emit`, { method: "POST", body, headers })
      ).json();
      const expected = refusal.details[0].field_violations.map(
        ({ field, description }) => `${field} ${description}`,
      );
      const shown = await demo.page.locator(".violations li").allInnerTexts();
      assert.deepEqual(shown, expected, name);
      assert.ok(shown.length >= 1, name);
    }
    await demo.page.locator("#request").fill("{ not json");
    assert.match(await demo.emit(), /INVALID_ARGUMENT[^]*body is not the JSON of the request/);
    assertClean([REFUSED]);
  });

  test("shows a cut, the way back, and what was missed as replayed", async () => {
    const ben = demo.card(BEN);
    await ben.evaluate((card) => {
      window.states = [];
      new MutationObserver(() => window.states.push(card.dataset.state)).observe(card, {
        attributeFilter: ["data-state"],
      });
    });
    const before = await ben.locator(".cursor").innerText();
    await ben.getByRole("switch").click();
    await demo.state(BEN, "offline");

    await demo.choose("reward.earned", [BEN]);
    await demo.edit("reward", "description", "missed one");
    assert.match(await demo.emit(), /Nobody was online/);
    await demo.choose("balance.updated", [BEN]);
    await demo.edit("coins", "111222");
    await demo.emit();
    await demo.choose("room.level_up");
    await demo.edit("new_level", 31);
    assert.match(await demo.emit(), /online/);
    await demo.choose("reward.earned", [AMIRA]);
    await demo.emit();
    assert.equal(await ben.locator(".cursor").innerText(), before);
    assert.equal(await demo.notice(BEN, "reward.earned", "missed one").count(), 0);

    await ben.getByRole("switch").click();
    await demo.state(BEN, "live");
    assert.equal(
      await demo.notice(BEN, "reward.earned", "missed one").locator(".replayed").count(),
      1,
    );
    assert.equal(
      await ben.locator(".chat li", { hasText: "reached level 31" }).locator(".replayed").count(),
      1,
    );
    await ben.locator('[data-field="coins"]', { hasText: "111,222" }).waitFor();
    await ben.locator(".story", { hasText: "3 events missed, and replayed in order" }).waitFor();
    assert.notEqual(await ben.locator(".cursor").innerText(), before);
    const states = await demo.page.evaluate(() => window.states);
    assert.deepEqual(
      states.filter((state, index) => state !== states[index - 1]),
      ["offline", "recovering", "live"],
    );

    // From here on it is live again, and nothing of it came twice.
    await demo.choose("reward.earned", [BEN]);
    await demo.edit("reward", "description", "live again");
    await demo.emit();
    await demo.settle();
    assert.equal(
      await demo.notice(BEN, "reward.earned", "live again").locator(".replayed").count(),
      0,
    );
    assert.equal(await demo.notice(BEN, "reward.earned", "missed one").count(), 1);
    assertClean();
  });

  test("shows the bootstrap: what happens before the connection stands is not lost", async () => {
    const chloe = demo.card(CHLOE);
    await chloe.getByRole("button", { name: "Restart app" }).click();
    const reward = demo.notice(
      CHLOE,
      "reward.earned",
      "after the bootstrap, before the connection",
    );
    await reward.locator(".replayed").waitFor();
    await chloe
      .locator(".story", {
        hasText: /Bootstrap said \d+; 1 event happened before it connected: replayed/,
      })
      .waitFor();
    await demo.state(CHLOE, "live");
    assertClean();
  });

  test("is one app, however often it is started", async () => {
    const restart = demo.card(CHLOE).getByRole("button", { name: "Restart app" });
    for (let n = 0; n < 3; n++) await restart.click({ noWaitAfter: true });
    await demo.card(CHLOE).locator(".story", { hasText: "Bootstrap said" }).waitFor();
    await demo.choose("reward.earned", [CHLOE]);
    assert.match(await demo.emit(), /1 of 1 online on 1 connection\b/);
    assertClean();
  });

  test("started without a network it is offline, and loses nothing by it", async () => {
    const network = demo.card(CHLOE).getByRole("switch");
    await network.click();
    await demo.state(CHLOE, "offline");
    await demo.card(CHLOE).getByRole("button", { name: "Restart app" }).click();
    await demo.state(CHLOE, "offline");
    await network.click();
    await demo
      .notice(CHLOE, "reward.earned", "after the bootstrap, before the connection")
      .locator(".replayed")
      .waitFor();
    await demo.state(CHLOE, "live");
    assertClean();
  });

  test("keeps what happened across a reload, by snapshot and cursor", async () => {
    await demo.choose("badge.earned", [CHLOE]);
    await demo.edit("badge", "name", "Before reload");
    await demo.emit();
    await demo.settle();
    await demo.page.reload();
    await demo.allLive();
    assert.equal(await demo.card(CHLOE).locator(".badge", { hasText: "Before reload" }).count(), 1);
    assertClean();
  });

  test("has a chat that the room sees, and nobody else", async () => {
    await demo.card(AMIRA).getByLabel("Message of Amira").fill("Hello <b>Ben</b>");
    await demo.page.keyboard.press("Enter");
    const line = (user) => demo.card(user).locator(".chat li", { hasText: "Hello <b>Ben</b>" });
    for (const user of [AMIRA, BEN]) await line(user).waitFor();
    await demo.settle();
    assert.equal(await line(CHLOE).count(), 0);
    assertClean();
  });

  test("lets a user in and out of the room, seen by the others", async () => {
    const seat = (user, of) => demo.card(user).locator(`.seat[data-user="${of}"]`);
    await demo.card(CHLOE).getByRole("button", { name: "Enter the room" }).click();
    for (const user of ALL) await seat(user, CHLOE).waitFor();
    await demo.card(CHLOE).getByRole("button", { name: "Leave the room" }).click();
    for (const user of [AMIRA, BEN]) await seat(user, CHLOE).waitFor({ state: "detached" });
    await demo.card(CHLOE).locator(".outside").waitFor();
    assertClean();
  });

  test("shows a gift that nobody can decide on as the error that it is, and goes on", async () => {
    const amira = demo.card(AMIRA);
    await amira.getByText("Give a gift").click();
    await amira.getByLabel("Quantity").fill("4");
    await amira.getByRole("button", { name: "Send", exact: true }).click();
    await amira
      .locator('.notice[data-event="gift:error"]', { hasText: "UPSTREAM_UNAVAILABLE" })
      .waitFor();
    await amira.locator(".said", { hasText: "laravel.webhook_url" }).waitFor();
    await amira.getByRole("button", { name: "Emit gift:received in its place" }).click();
    for (const user of [AMIRA, BEN])
      await demo.card(user).locator(".flying", { hasText: "×4" }).waitFor();
    await demo.settle();
    for (const user of [BEN, CHLOE]) assert.equal(await demo.notice(user, "gift:error").count(), 0);
    assertClean();
  });

  test("lives by itself when asked to", async () => {
    await demo.page.getByRole("switch", { name: "Let the room live" }).click();
    await demo.card(BEN).locator(".is-speaking").waitFor();
    await demo.page.waitForFunction(() => document.querySelectorAll(".plot circle").length > 10);
    await demo.page.getByRole("switch", { name: "Let the room live" }).click();
    assertClean();
  });

  test("comes back after the relay was killed, and says what it lost", async () => {
    await relay.kill();
    relay = await startRelay();
    await demo.page.evaluate(() => window.dispatchEvent(new Event("online"))); // don't wait for the backoff
    for (const user of ALL) {
      await demo.card(user).locator(".story", { hasText: "A gap (epoch)" }).waitFor();
      await demo.state(user, "live");
    }
    // The emit key was the old process's; the page has fetched the new one.
    await demo.choose("reward.earned", [BEN]);
    await demo.edit("reward", "description", "after the crash");
    await demo.emit();
    await demo.notice(BEN, "reward.earned", "after the crash").waitFor();
  });
});

describe("gifts, where an application decides", () => {
  let application;
  before(async () => {
    application = await startApplication(100);
    await relay.stop();
    relay = await startRelay(application.settings);
    demo = await openDemo(browser);
  });
  after(async () => {
    await demo.close();
    await relay.stop();
    await application.stop();
    relay = await startRelay();
  });

  const give = async (quantity) => {
    const amira = demo.card(AMIRA);
    await amira.getByText("Give a gift").click();
    await amira.getByLabel("Gift", { exact: true }).selectOption({ label: "👑 Crown" });
    await amira.getByLabel("Quantity").fill(String(quantity));
    await amira.getByRole("button", { name: "Send", exact: true }).click();
  };

  test("an accepted one flies in the room, once for each, and is charged once", async () => {
    await give(5);
    for (const user of [AMIRA, BEN])
      await demo.card(user).locator(".flying", { hasText: "×5" }).waitFor();
    await demo.settle();
    const told = { hasText: "Amira gave Ben 5 × Crown" };
    for (const user of ALL)
      assert.equal(
        await demo.card(user).locator(".chat li", told).count(),
        user === CHLOE ? 0 : 1,
        `user ${user}`,
      );
    assert.equal(application.charged.size, 1);
    for (const user of ALL) assert.equal(await demo.notice(user, "gift:error").count(), 0);
    assert.equal(await demo.card(AMIRA).locator(".said").innerText(), "");
    assertClean();
  });

  test("a rejected one is told to its sender, with the application's reason, and to nobody else", async () => {
    await give(101);
    await demo.notice(AMIRA, "gift:error", "It takes 101 coins, and there are 100").waitFor();
    await demo.card(AMIRA).locator(".said", { hasText: "INSUFFICIENT_BALANCE" }).waitFor();
    await demo.settle();
    for (const user of [BEN, CHLOE]) assert.equal(await demo.notice(user, "gift:error").count(), 0);
    assert.equal(await demo.card(BEN).locator(".chat li", { hasText: "101 ×" }).count(), 0);
    assert.equal(application.charged.size, 1);
    assertClean();
  });
});

test("events of the relay's settings are in the panel, too, and are shown", async () => {
  const directory = mkdtempSync(join(tmpdir(), "demo-test-"));
  const file = join(directory, "config.toml");
  writeFileSync(
    file,
    '[[custom_events]]\nname = "App\\\\Events\\\\*"\naudience = ["user", "room"]\nclass = "durable"\n',
  );
  await relay.stop();
  relay = await startRelay({}, ["--config", file]);
  demo = await openDemo(browser);
  await demo.choose("App\\Events\\*", [BEN]);
  assert.match(await demo.emit(), /1 of 1 online/);
  await demo.settle();
  for (const user of ALL) {
    assert.equal(
      await demo.notice(user, "App\\Events\\Example", '"text":"Hello"').count(),
      user === BEN ? 1 : 0,
    );
  }
  assertClean();
  await demo.close();
  rmSync(directory, { recursive: true });
});
