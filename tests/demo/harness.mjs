// A relay in development mode and a browser on its demo page. Run by ctest: MSAB_RELAY names the
// binary. Debian's Chromium; Playwright brings none.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { chromium } from "playwright-core";

// A loopback address of this process alone, so that suites may run side by side.
export const HOST = `127.${129 + ((process.pid >> 16) % 100)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
export const PAGE = `http://${HOST}:9090`;
export const KEY = "the-applications-own-key";
const ENVIRONMENT = {
  MSAB_SHARDS: "2",
  MSAB_WS_LISTEN: `${HOST}:8080`,
  MSAB_GRPC_LISTEN: `${HOST}:50051`,
  MSAB_HTTP_LISTEN: `${HOST}:9090`,
  MSAB_API_KEYS: `laravel:${KEY}`,
  MSAB_JWT_SECRETS: "demo-test-secret-0123456789abcdef0123456789",
};

/** Starts a relay; ready when it resolves. Development mode unless `environment` says otherwise. */
export async function startRelay(environment = {}, args = []) {
  const child = spawn(process.env.MSAB_RELAY, args, {
    env: { PATH: process.env.PATH, ...ENVIRONMENT, MSAB_DEV_ENABLED: "true", ...environment },
  });
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const ready = () =>
    fetch(`${PAGE}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await ready())) {
    assert.equal(child.exitCode, null, `the relay ended:\n${log}`);
    await delay(20);
  }
  const end = (signal) => {
    child.kill(signal);
    return ended;
  };
  return {
    stop: async () => assert.equal(await end("SIGTERM"), 0, log),
    kill: () => end("SIGKILL"),
  };
}

export function startBrowser() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/**
 * Opens the demo page with all apps live. Of the page's complaints and requests, all are kept:
 * `errors` (console and uncaught), `requests` (URLs).
 */
export async function openDemo(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const errors = [];
  const requests = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.stack));
  page.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => requests.push(socket.url()));
  await page.goto(PAGE);
  const demo = new Demo(page, errors, requests);
  await demo.allLive();
  await page.waitForSelector('.person[data-user="42"] .seat[data-user="43"]', {
    state: "attached",
  });
  await page.waitForSelector('.person[data-user="43"] .seat[data-user="42"]', {
    state: "attached",
  });
  return demo;
}

export const AMIRA = 42;
export const BEN = 43;
export const CHLOE = 44; // not in the room, to begin with
export const ALL = [AMIRA, BEN, CHLOE];

/** What a person does with the page, and sees. */
class Demo {
  #barriers = 0;

  constructor(page, errors, requests) {
    this.page = page;
    this.errors = errors;
    this.requests = requests;
  }

  card(user) {
    return this.page.locator(`.person[data-user="${user}"]`);
  }

  state(user, state) {
    return this.page.waitForSelector(`.person[data-user="${user}"][data-state="${state}"]`, {
      state: "attached",
    });
  }

  async allLive() {
    for (const user of ALL) await this.state(user, "live");
  }

  /** Chooses an event and whom it is for, where that is a choice. */
  async choose(event, users) {
    await this.page.getByRole("radio", { name: event, exact: true }).check({ force: true });
    if (!users) return;
    const boxes = this.page.locator(".whom input");
    for (const wanted of [true, false]) {
      for (const box of await boxes.all()) {
        if (
          users.includes(Number(await box.inputValue())) !== wanted ||
          (await box.isChecked()) === wanted
        )
          continue;
        if (wanted) await box.check({ force: true });
        else if ((await box.getAttribute("type")) === "checkbox")
          await box.uncheck({ force: true });
      }
    }
  }

  async request() {
    return JSON.parse(await this.page.locator("#request").inputValue());
  }

  /** Puts a value into the payload of the request in the panel: edit("reward", "description", "x"). */
  async edit(...path) {
    const value = path.pop();
    const request = await this.request();
    const payload = request[Object.keys(request).find((key) => key !== "target")];
    const last = path.pop();
    path.reduce((part, key) => part[key], payload)[last] = value;
    await this.page.locator("#request").fill(JSON.stringify(request, null, 2));
  }

  /** Emits by a button of the panel; resolves with the answer as it is shown. */
  async emit(button = "#emit") {
    const answer = this.page.locator(".answer");
    await answer.evaluate((element) => element.replaceChildren());
    await this.page.click(button);
    await answer.locator(".verdict").waitFor({ state: "attached" });
    return answer.innerText();
  }

  notice(user, event, text) {
    return this.card(user).locator(`.inbox [data-event=${JSON.stringify(event)}]`, {
      hasText: text,
    });
  }

  /**
   * Waits until everything emitted so far has arrived: the relay has one order, so whoever sees the
   * broadcast that is emitted now has seen all that came before it.
   */
  async settle() {
    this.#barriers += 1;
    const version = `barrier-${this.#barriers}`;
    await this.choose("config:invalidate");
    await this.edit("version", version);
    await this.emit();
    for (const user of ALL)
      await this.notice(user, "config:invalidate", version).waitFor({ state: "attached" });
  }

  async close() {
    await this.page.context().close();
  }
}
