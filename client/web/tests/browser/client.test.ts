import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Disconnect } from '../../src/index.js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { asleep, connectIn, heard, launch, Site, state, type ClientWindow } from '../support/browser.js';
import { newUser, stage } from '../support/client.js';
import { token } from '../support/relay.js';
import { pause, until } from '../support/wait.js';

const at = stage({ 'drain.timeout': '4s' });
let site: Site;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let user: number;

beforeAll(async () => {
  [site, browser] = await Promise.all([Site.start(), launch(['--disable-back-forward-cache'])]);
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await site.page(context);
  user = newUser();
});
afterEach(() => context.close());
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const connected = async (options: { cursor?: string; direct?: boolean } = {}) => {
  const { direct, ...rest } = options;
  await connectIn(page, { url: direct ? at.relay.url : at.proxy.url, token: token(user), user, ...rest });
  await until(async () => (await state(page)) === 'live', 'live');
};
const reward = (id: number) =>
  at.relay.emit({
    reward_earned: { user_id: user, reward: { id, type: 'coins', amount: '1', description: '' } },
  });
const told = (reason: string) => Number(/retry_after_ms=(\d+)/.exec(reason)![1]);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test('nothing is lost or doubled over 100 random cuts', { timeout: 180_000 }, async () => {
  await connected();
  const { accepted } = at.proxy;
  let sent = 0;
  let done = false;
  const emitting = (async () => {
    while (!done) {
      await reward(++sent);
      if (Math.random() < 0.2) await pause(Math.random() * 10);
    }
  })();
  for (let cuts = 0; cuts < 100; cuts++) {
    await until(() => at.proxy.open, 'a connection to cut');
    await pause(Math.random() * 60); // in the handshake, in the replay, or live
    at.proxy.cut();
  }
  done = true;
  await emitting;
  await until(async () => (await heard(page)).length >= sent, `${sent} events`);
  expect(await heard(page)).toEqual(upTo(sent));
  expect(await page.evaluate(() => (window as unknown as ClientWindow).gaps)).toEqual([]);
  // All may have been heard before the last cut.
  await until(() => at.proxy.accepted - accepted >= 100, 'the way back from each cut');
  console.log(`100 cuts, ${sent} events: none lost, none doubled`);
});

test('offline freezes the socket without closing it: noticed, and recovered when online', async () => {
  await connected({ direct: true });
  await context.setOffline(true);
  await until(async () => (await state(page)) === 'offline', 'offline');
  await reward(1);
  await reward(2);
  await context.setOffline(false);
  await until(async () => (await state(page)) === 'live', 'live again');
  expect(await heard(page)).toEqual([1, 2]);
});

test('a tab that slept has everything when it wakes', async () => {
  await connected();
  const wake = await asleep(page);
  await reward(1);
  await pause(4_000); // longer than a ping of the relay stays away
  await reward(2);
  await wake();
  await until(async () => (await heard(page)).length === 2, 'both');
  expect(await heard(page)).toEqual([1, 2]);
  expect(await page.evaluate(() => (window as unknown as ClientWindow).lost)).toEqual([]);
});

test('a tab that slept while its path broke silently has everything soon after', async () => {
  await connected();
  const wake = await asleep(page);
  await reward(1);
  at.proxy.freeze();
  await reward(2);
  await wake();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await until(async () => (await heard(page)).length === 2, 'both');
  expect(await heard(page)).toEqual([1, 2]);
  const lost = await page.evaluate(() => (window as unknown as ClientWindow).lost);
  expect(lost).toMatchObject([{ reason: 'no answer' }]); // by asking, not by the silence of 11 s
});

test('a relay that is killed and starts anew is a gap, told once', async () => {
  await connected();
  await reward(1);
  await until(async () => (await heard(page)).length === 1);
  await at.relay.kill();
  await until(async () => (await state(page)) === 'recovering', 'the loss');
  await at.relay.start();
  await until(async () => (await state(page)) === 'live', 'live');
  const losses = () => page.evaluate(() => (window as unknown as ClientWindow).lost.length);
  const before = await losses();
  at.proxy.cut();
  await until(async () => (await losses()) > before, 'the cut');
  await until(async () => (await state(page)) === 'live', 'live');
  await reward(2);
  await until(async () => (await heard(page)).length === 2, 'the next event');
  expect(await page.evaluate(() => (window as unknown as ClientWindow).gaps)).toMatchObject([
    { reason: 'epoch' },
  ]);
});

test('a relay that drains says when to come back, and is obeyed', async () => {
  await connected();
  at.relay.drain();
  await at.relay.exited();
  await at.relay.start();
  const lost = () => page.evaluate(() => (window as unknown as ClientWindow).lost) as Promise<Disconnect[]>;
  await until(async () => (await lost()).length, 'the close');
  const [how] = await lost();
  expect(how).toEqual({ code: 4003, reason: expect.any(String), retryIn: told(how!.reason) });
  await until(async () => (await state(page)) === 'live', 'live');
});

test('a token that ends is renewed in place, and replaced where that failed', async () => {
  let failing = false;
  const reasons: string[] = [];
  await page.exposeFunction('fetchToken', (reason: string) => {
    reasons.push(reason);
    if (failing) throw new Error('the application is down');
    return token(user, 4);
  });
  await page.evaluate(async (url) => {
    const w = window as unknown as ClientWindow & { fetchToken(reason: string): Promise<string> };
    const { connect } = await w.load('/index.js');
    Object.assign(w, { heard: [], lost: [] });
    const source = ({ reason }: { reason: string }) => w.fetchToken(reason);
    w.relay = connect(url, { token: source, backoff: { min: 20, max: 200 } });
    w.relay.on('reward.earned', ({ reward }) => w.heard.push(reward.id));
    w.relay.on('disconnect', (how) => w.lost.push(how));
  }, at.proxy.url);
  const lost = () => page.evaluate(() => (window as unknown as ClientWindow).lost) as Promise<Disconnect[]>;
  await until(() => reasons.length >= 2);
  expect(reasons.slice(0, 2)).toEqual(['connect', 'renew']);
  expect(await lost()).toEqual([]);
  failing = true;
  await until(async () => (await lost()).length, 'the end of the token');
  expect((await lost())[0]).toMatchObject({ code: 4001 });
  await reward(1);
  failing = false;
  await until(async () => (await heard(page)).length, 'what was missed');
  expect(await heard(page)).toEqual([1]);
});

test('goes into the back/forward cache without its socket, and comes back with what it missed', async () => {
  await connected();
  await reward(1);
  await until(async () => (await heard(page)).length === 1);
  await page.goto(`${site.url}elsewhere`);
  await until(() => at.proxy.open === 0, 'the socket to be closed');
  await reward(2);
  await page.goBack({ waitUntil: 'commit' }); // a page from the cache loads nothing
  const restored = await page.evaluate(() => 'heard' in window);
  expect(restored).toBe(true); // the same page, not a new one
  await until(async () => (await heard(page)).length === 2, 'what was missed');
  expect(await heard(page)).toEqual([1, 2]);
  expect(await page.evaluate(() => (window as unknown as ClientWindow).states)).toContain('offline');
});

test('the cursor outlives a reload, kept for its user', async () => {
  const connectKept = () =>
    page.evaluate(
      async ([url, jwt]) => {
        const w = window as unknown as ClientWindow;
        const { connect } = await w.load('/index.js');
        w.heard = [];
        w.relay = connect(url, { token: () => jwt, persist: true });
        w.relay.on('reward.earned', ({ reward }) => w.heard.push(reward.id));
      },
      [at.proxy.url, token(user)] as const,
    );
  await connectKept();
  await until(async () => (await state(page)) === 'live');
  await reward(1);
  await until(async () => (await heard(page)).length === 1);
  await page.goto('about:blank');
  await reward(2);
  await page.goto(site.url);
  await connectKept();
  await until(async () => (await heard(page)).length, 'the event of the reload');
  expect(await heard(page)).toEqual([2]);
});

test('a path that is only slow is left alone', async () => {
  await connected();
  at.proxy.delay = 1_000;
  await context.setOffline(true);
  await context.setOffline(false);
  await pause(3_500);
  expect(await page.evaluate(() => (window as unknown as ClientWindow).lost)).toEqual([]);
});

for (const framework of ['react', 'vue']) {
  test(`${framework}: one connection through StrictMode, hot reload and a second mount`, async () => {
    const mount = (generation: number) =>
      page.evaluate(
        async ([framework, generation, url, jwt, room]) => {
          const w = window as unknown as ClientWindow & { mounted?: { unmount(): void } };
          const before = w.mounted;
          const module = await w.load(`/${framework}.js?${generation}`);
          before?.unmount();
          w.mounted = module.mount({ url, room, options: { token: () => jwt } });
        },
        [framework, generation, at.proxy.url, token(user), `lobby-${user}`] as const,
      );
    const text = () => page.locator('#app p').innerText();
    const { accepted } = at.proxy;
    await mount(1);
    await until(async () => (await text()) === 'live [] 1', 'the room');
    await at.client().join(`lobby-${user}`).ready;
    await until(async () => (await text()) === 'live [] 2', 'the other participant');
    await at.relay.emit({ balance_updated: { user_id: user, coins: '5' } });
    await until(async () => (await text()) === 'live [5] 2', 'the event, once');
    await mount(2);
    await until(async () => (await text()) === 'live [] 2', 'the component that took its place');
    await at.relay.emit({ balance_updated: { user_id: user, coins: '6' } });
    await until(async () => (await text()) === 'live [6] 2', 'the event, once, after hot reload');
    expect(at.proxy.accepted).toBe(accepted + 2); // the page's, and the other client's
    await page.evaluate(() => (window as unknown as { mounted: { unmount(): void } }).mounted.unmount());
    await until(() => at.proxy.open === 1, 'the end of the connection that nobody uses');
  });

  test(`${framework}: takes over what a server rendered, and finds nothing amiss`, async () => {
    const room = `lobby-${user}`;
    const props = { url: at.proxy.url, room, options: { token: () => token(user) } };
    const app = await import(`./apps/${framework}.ts`);
    const html =
      framework === 'vue'
        ? await (await import('vue/server-renderer')).renderToString(app.server(props))
        : (await import('react-dom/server')).renderToString(app.server(props));
    expect(html).toMatch(/^<p>closed \[\] 0<\/p>$/);
    await at.client().join(room).ready;
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.evaluate(
      async ([framework, html, url, jwt, room]) => {
        document.getElementById('app')!.innerHTML = html;
        const module = await (window as unknown as ClientWindow).load(`/${framework}.js`);
        module.mount({ url, room, options: { token: () => jwt } }, true);
      },
      [framework, html, at.proxy.url, token(user), room] as const,
    );
    await until(async () => (await page.locator('#app p').innerText()) === 'live [] 2', 'the room');
    expect(complaints).toEqual([]);
  });
}

for (const framework of ['react', 'vue']) {
  test(`${framework}: a room that is not known yet is none, and another takes its place`, async () => {
    type Mounted = ReturnType<typeof import('./apps/vue.js').mountIn>;
    await page.evaluate(
      async ([framework, url, jwt]) => {
        const w = window as unknown as ClientWindow & { mounted: Mounted };
        const module = await w.load(`/${framework}.js`);
        w.mounted = module.mountIn({ url, room: undefined, options: { token: () => jwt } });
      },
      [framework, at.proxy.url, token(user)] as const,
    );
    const enter = (room: string | undefined) =>
      page.evaluate((room) => (window as unknown as { mounted: Mounted }).mounted.enter(room), room);
    const text = () => page.locator('#app p').innerText();
    await until(async () => (await text()) === 'live [] 0', 'no room');
    const [here, there] = [at.client().join(`here-${user}`), at.client().join(`there-${user}`)];
    await Promise.all([here.ready, there.ready]);
    const members = () => [here.participants.length, there.participants.length];

    await enter(here.id);
    await until(async () => (await text()) === 'live [] 2' && String(members()) === '2,1', 'the room');
    await enter(there.id);
    await until(async () => (await text()) === 'live [] 2' && String(members()) === '1,2', 'the other');
    await enter(undefined);
    await until(async () => (await text()) === 'live [] 0' && String(members()) === '1,1', 'none again');
  });
}

test('vue: what KeepAlive puts away hears on and stays in its room, until it is unmounted', async () => {
  type Kept = ReturnType<typeof import('./apps/vue.js').mountKept>;
  const room = `lobby-${user}`;
  await page.evaluate(
    async ([url, jwt, room]) => {
      const w = window as unknown as ClientWindow & { kept: Kept };
      w.kept = (await w.load('/vue.js')).mountKept({ url, room, options: { token: () => jwt } });
    },
    [at.proxy.url, token(user), room] as const,
  );
  const kept = page.evaluateHandle(() => (window as unknown as { kept: Kept }).kept);
  const show = async (shown: boolean) => (await kept).evaluate((kept, shown) => kept.show(shown), shown);
  const text = () => page.locator('#app').innerText();
  await until(async () => (await text()) === 'live [] 1', 'the room');
  const other = at.client().join(room);
  await until(async () => (await text()) === 'live [] 2', 'the other participant');

  const left = vi.fn();
  other.on('room:userLeft', left);
  await show(false);
  await until(async () => (await text()) === '', 'it to be put away');
  await at.relay.emit({ balance_updated: { user_id: user, coins: '5' } });
  await show(true);
  await until(async () => (await text()) === 'live [5] 2', 'what it heard meanwhile');
  expect(left).not.toHaveBeenCalled();

  await (await kept).evaluate(({ app }) => app.unmount());
  await until(() => other.participants.length === 1, 'it to leave');
});
