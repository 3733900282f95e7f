// How the demo page looks and can be used: small and large screens, light and dark, by keyboard,
// without motion, by a screen reader.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { ALL, AMIRA, BEN, CHLOE, openDemo, startBrowser, startRelay } from "./harness.mjs";

const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

let browser;
let relay;

before(async () => {
  relay = await startRelay();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await relay?.stop();
});

// Something of each kind on the page. What the balance changed by shows for four seconds: last.
async function fill(demo) {
  for (const event of [
    "badge.earned",
    "reward.earned",
    "agency.invitation",
    "gift:error",
  ]) {
    await demo.choose(event, [AMIRA]);
    await demo.emit();
  }
  for (const event of ["room.level_up", "speaker:active", "gift:received", "chat:message"]) {
    await demo.choose(event);
    await demo.emit();
  }
  await demo.choose("balance.updated", [AMIRA]);
  await demo.emit();
  await demo.settle();
}

async function scrollsSideways(demo) {
  return demo.page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
}

// The violations of WCAG 2.2 A and AA that axe finds, contrast among them.
async function violations(demo) {
  await demo.page.evaluate(AXE);
  return demo.page.evaluate(async () => {
    await Promise.all(
      document
        .getAnimations()
        .map((animation) =>
          animation.effect?.getTiming().iterations === Infinity
            ? null
            : animation.finished.catch(() => {}),
        ),
    );
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations: found } = await window.axe.run(document, { runOnly: tags });
    return found.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(" | ")}`,
    );
  });
}

for (const colorScheme of ["light", "dark"]) {
  for (const [name, viewport] of [
    ["desktop", { width: 1440, height: 1000 }],
    ["phone", { width: 390, height: 844 }],
  ]) {
    test(`is accessible: ${name}, ${colorScheme}`, async () => {
      const demo = await openDemo(browser, { colorScheme, viewport });
      await fill(demo);
      assert.deepEqual(await violations(demo), []);
      await demo.choose("badge.earned");
      await demo.page.click("#break");
      await demo.emit();
      await demo.card(AMIRA).getByRole("switch").click();
      await demo.state(AMIRA, "offline");
      assert.deepEqual(await violations(demo), []);
      assert.equal(await scrollsSideways(demo), false);
      await demo.close();
    });
  }
}

for (const width of [320, 360, 768, 1024, 1280, 1920]) {
  test(`fits ${width} pixels`, async () => {
    const demo = await openDemo(browser, { viewport: { width, height: 800 } });
    await demo.choose("reward.earned", [AMIRA]);
    await demo.edit("reward", "description", "W".repeat(400));
    await demo.emit();
    await demo.notice(AMIRA, "reward.earned", "WWW").waitFor({ state: "attached" });
    await demo.choose("balance.updated", [AMIRA]);
    await demo.edit("coins", "9".repeat(30));
    await demo.emit();
    await demo.settle();
    assert.equal(await scrollsSideways(demo), false);
    await demo.close();
  });
}

test("follows the system's colours", async () => {
  const background = async (colorScheme) => {
    const demo = await openDemo(browser, { colorScheme });
    const [red] = await demo.page.evaluate(() =>
      getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number),
    );
    await demo.close();
    return red;
  };
  assert.ok((await background("light")) > 200);
  assert.ok((await background("dark")) < 50);
});

test("shows one app at a time on a phone, and counts what reaches the others", async () => {
  const demo = await openDemo(browser, { viewport: { width: 390, height: 844 }, hasTouch: true });
  assert.deepEqual(await Promise.all(ALL.map((user) => demo.card(user).isVisible())), [
    true,
    false,
    false,
  ]);
  await demo.choose("reward.earned", [CHLOE]);
  await demo.emit();
  const button = demo.page.getByRole("button", { name: /^Chloé/ });
  await button.locator(".news", { hasText: "1" }).waitFor();
  await button.tap();
  assert.deepEqual(await Promise.all(ALL.map((user) => demo.card(user).isVisible())), [
    false,
    false,
    true,
  ]);
  await button.locator(".news").waitFor({ state: "hidden" });
  await demo.notice(CHLOE, "reward.earned").waitFor();
  await demo.close();
});

test("needs no mouse", async () => {
  const demo = await openDemo(browser);
  const { keyboard } = demo.page;
  await demo.page.locator('input[value="balance.updated"]').focus();
  await keyboard.press("ArrowRight"); // reward.earned
  await demo.page.locator("#request").focus();
  await keyboard.press("Control+Enter");
  await demo.notice(AMIRA, "reward.earned").waitFor();
  await demo.card(BEN).getByRole("switch").focus();
  await keyboard.press("Space");
  await demo.state(BEN, "offline");
  await keyboard.press("Space");
  await demo.state(BEN, "live");
  // Every control can be reached and is seen when it is.
  const controls = await demo.page
    .locator("button, input, select, textarea, summary")
    .evaluateAll(
      (elements) =>
        elements.filter((element) => element.checkVisibility() && element.tabIndex < 0).length,
    );
  assert.equal(controls, 0);
  await demo.close();
});

test("moves nothing where motion isn't wanted", async () => {
  const demo = await openDemo(browser, { reducedMotion: "reduce" });
  await demo.page.evaluate(() => {
    window.moved = 0;
    const animate = Element.prototype.animate;
    Element.prototype.animate = function (...parts) {
      window.moved += 1;
      return animate.apply(this, parts);
    };
    for (const type of ["animationstart", "transitionrun"])
      document.addEventListener(type, () => (window.moved += 1));
  });
  await fill(demo);
  assert.equal(await demo.card(AMIRA).locator('[data-field="coins"]').innerText(), "2,500");
  assert.equal(await demo.page.evaluate(() => window.moved), 0);
  await demo.close();
});
