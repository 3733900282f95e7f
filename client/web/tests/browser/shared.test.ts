import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { asleep, connectIn, heard, launch, Site, state, type ClientWindow } from '../support/browser.js';
import { newUser, stage } from '../support/client.js';
import { token } from '../support/relay.js';
import { pause, until } from '../support/wait.js';

const at = stage();
let site: Site;
let browser: Browser;
let context: BrowserContext;
let user: number;

beforeAll(async () => {
  [site, browser] = await Promise.all([Site.start(), launch()]);
});
beforeEach(async () => {
  context = await browser.newContext();
  user = newUser();
});
afterEach(() => context.close());
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const tab = async (cursor?: string): Promise<Page> => {
  const page = await site.page(context);
  const options = { url: at.proxy.url, token: token(user), user, shared: true, ...(cursor && { cursor }) };
  await connectIn(page, options);
  await until(async () => (await state(page)) === 'live', 'live');
  return page;
};
const reward = (id: number) =>
  at.relay.emit({
    reward_earned: { user_id: user, reward: { id, type: 'coins', amount: '1', description: '' } },
  });
const all = async (pages: Page[], ids: number[]) => {
  for (const page of pages) {
    await until(async () => (await heard(page)).length >= ids.length, `${ids.length} events in every tab`);
    expect(await heard(page)).toEqual(ids);
  }
};
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const gaps = (page: Page) => page.evaluate(() => (window as unknown as ClientWindow).gaps);

test('four tabs hear everything once, over one connection', async () => {
  const { accepted } = at.proxy;
  const first = await tab();
  const cursor = await at.relay.cursor();
  await reward(1);
  // A later tab has its own past: that of its bootstrap.
  const rest = [await tab(cursor), await tab(cursor), await tab()];
  await reward(2);
  await all([first, rest[0]!, rest[1]!], [1, 2]);
  await all([rest[2]!], [2]);
  expect(at.proxy.accepted).toBe(accepted + 1);
  expect(at.proxy.open).toBe(1);
});

test('a tab whose past is older than what is kept for tabs is told of the gap', async () => {
  const cursor = await at.relay.cursor();
  const first = await tab();
  const reward = (id: number) => ({ id, type: 'coins', amount: '1', description: '' });
  const events = upTo(3_000).map((id) => ({ reward_earned: { user_id: user, reward: reward(id) } }));
  for (let n = 0; n < events.length; n += 1_000) await at.relay.emitBatch(events.slice(n, n + 1_000));
  await all([first], upTo(3_000));
  const late = await tab(cursor);
  expect(await gaps(late)).toMatchObject([{ reason: 'expired', since: cursor }]);
  expect(await gaps(first)).toEqual([]);
});

test('when the tab with the connection goes, another takes over; nothing is lost or doubled', async () => {
  const pages = [await tab(), await tab(), await tab()];
  await reward(1);
  await all(pages, [1]);
  await pages.shift()!.close();
  await reward(2);
  await all(pages, [1, 2]);
  await pages.shift()!.close();
  await reward(3);
  await all(pages, [1, 2, 3]);
  expect(await gaps(pages[0]!)).toEqual([]);
  expect(at.proxy.open).toBe(1);
});

test('cuts of the one connection are recovered in every tab', async () => {
  const pages = [await tab(), await tab()];
  let sent = 0;
  for (let cut = 0; cut < 10; cut++) {
    for (let n = 0; n < 5; n++) await reward(++sent);
    at.proxy.cut();
  }
  await all(
    pages,
    Array.from({ length: sent }, (_, n) => n + 1),
  );
});

test('rooms belong to the tabs that joined them', async () => {
  const [first, second] = [await tab(), await tab()];
  const join = (page: Page) =>
    page.evaluate(async (id) => {
      const w = window as unknown as ClientWindow & {
        room: import('../../src/index.js').Room;
        said: string[];
      };
      w.said = [];
      w.relay.on('chat:message', ({ content }) => w.said.push(content));
      w.room = w.relay.join(id);
      await w.room.ready;
      return w.room.participants.length;
    }, user);
  const chat = (page: Page, text: string) =>
    page.evaluate(
      (text) => (window as unknown as { room: import('../../src/index.js').Room }).room.chat(text),
      text,
    );
  const said = (page: Page) => page.evaluate(() => (window as unknown as { said?: string[] }).said ?? []);

  expect(await join(first)).toBe(1);
  await chat(first, 'one');
  await until(async () => (await said(first)).length === 1, 'the first message');
  expect(await join(second)).toBe(1);
  await chat(second, 'two');
  await until(
    async () => (await said(second)).length === 1 && (await said(first)).length === 2,
    'the second',
  );
  expect(await said(first)).toEqual(['one', 'two']);
  expect(await said(second)).toEqual(['two']);

  // The leader goes: the room stays, by the other tab.
  await first.close();
  await chat(second, 'three');
  await until(async () => (await said(second)).length === 2, 'the third');
  // And is left when no tab has it any more.
  const watcher = at.client();
  const room = watcher.join(user);
  await room.ready;
  await until(() => room.participants.length === 2, 'both');
  await second.evaluate(() =>
    (window as unknown as { room: import('../../src/index.js').Room }).room.leave(),
  );
  await until(() => room.participants.length === 1, 'the leave');
});

test('a message that is too large fails in its own tab only', async () => {
  const [first, second] = [await tab(), await tab()];
  const inRoom = (page: Page) =>
    page.evaluate((id) => (window as unknown as ClientWindow).relay.join(id).ready, user);
  const chat = (page: Page, text: string) =>
    page.evaluate(
      ([id, text]) =>
        (window as unknown as ClientWindow).relay
          .join(id)
          .chat(text, { timeout: 60_000 })
          .then(
            () => 'said',
            ({ code }) => code as string,
          ),
      [user, text] as const,
    );
  await inRoom(first);
  await inRoom(second);
  at.proxy.delay = 1_000; // the other's message is under way, too, when the close arrives
  const large = chat(second, 'x'.repeat(20_000));
  await pause(300);
  const small = chat(first, 'hello');
  expect(await large).toBe('TOO_LARGE');
  at.proxy.delay = 0;
  expect(await small).toBe('said');
});

test('a leader whose tab sleeps is replaced by a tab that is looked at', async () => {
  const [leader, other] = [await tab(), await tab()];
  const wake = await asleep(leader);
  const { accepted } = at.proxy;
  await reward(1);
  await other.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await all([other], [1]);
  expect(at.proxy.accepted).toBe(accepted + 1);
  await wake();
  await reward(2);
  await all([other, leader], [1, 2]);
  await until(() => at.proxy.open === 1, 'one connection');
  // It sees that it was replaced; it need not wait for the new one's silence.
  const lost = await leader.evaluate(() => (window as unknown as ClientWindow).lost);
  expect(lost).toMatchObject([{ reason: 'another tab has the connection now' }]);
});

test('a tab that is opened while the leader sleeps does not wait for it', async () => {
  const leader = await tab();
  const cursor = await leader.evaluate(() => (window as unknown as ClientWindow).relay.cursor);
  const wake = await asleep(leader);
  const other = await tab(cursor);
  await reward(1);
  await all([other], [1]);
  await wake();
  await all([leader], [1]);
  await until(() => at.proxy.open === 1, 'one connection');
});

test('a leader that falls asleep while the relay is away is replaced, though nobody looks', async () => {
  const [leader, other] = [await tab(), await tab()];
  at.proxy.refusing = true;
  at.proxy.cut();
  await until(async () => (await state(other)) === 'recovering', 'the loss');
  const wake = await asleep(leader);
  at.proxy.refusing = false;
  await reward(1);
  await all([other], [1]);
  await wake();
  await all([leader], [1]);
  await until(() => at.proxy.open === 1, 'one connection');
});

test('a relay that starts anew is a gap in every tab, told once', async () => {
  const pages = [await tab(), await tab()];
  await at.relay.kill();
  await at.relay.start();
  for (const page of pages) {
    await until(async () => (await gaps(page)).length, 'the gap');
    await until(async () => (await state(page)) === 'live', 'live');
  }
  await reward(1);
  await all(pages, [1]);
  for (const page of pages) expect(await gaps(page)).toMatchObject([{ reason: 'epoch' }]);
});

test('in a frame that may keep nothing it is a connection of its own', async () => {
  const page = await site.page(context);
  await page.evaluate((url) => {
    const frame = document.createElement('iframe');
    frame.sandbox.add('allow-scripts');
    document.body.append(Object.assign(frame, { src: url }));
  }, site.url);
  await until(() => page.frames()[1], 'the frame');
  const frame = page.frames()[1]!;
  await frame.waitForFunction(() => 'load' in window);
  const refused = frame.evaluate(() => navigator.locks.request('x', () => {}));
  await expect(refused).rejects.toThrow('SecurityError');

  const { accepted } = at.proxy;
  await connectIn(frame, { url: at.proxy.url, token: token(user), user, shared: true });
  await until(async () => (await state(frame)) === 'live', 'live');
  await reward(1);
  await until(async () => (await heard(frame)).length, 'the event');
  at.proxy.cut();
  await reward(2);
  await until(async () => (await heard(frame)).length === 2, 'the event after a cut');
  expect(await heard(frame)).toEqual([1, 2]);
  expect(at.proxy.accepted).toBe(accepted + 2);
  await frame.evaluate(() => (window as unknown as ClientWindow).relay.close());
  expect(await state(frame)).toBe('closed');
  await until(() => at.proxy.open === 0, 'the end of the connection');
});
