import { expect, test } from 'vitest';
import type { Disconnect, Gap } from '../../src/index.js';
import { comesBack, isAway, isLive, newUser, stage } from '../support/client.js';
import { pause, until } from '../support/wait.js';

const at = stage({ 'drain.timeout': '4s' });

// What the browser's suite does, by the WebSocket of Node, and with a room.
test('100 random cuts lose and double nothing', async () => {
  const relay = at.client();
  const heard: number[] = [];
  relay.on('balance.updated', () => {});
  relay.on('reward.earned', ({ reward }) => heard.push(reward.id));
  const room = relay.join(relay.user);
  room.on('room.level_up', ({ new_level }) => heard.push(new_level));
  await room.ready;
  let sent = 0;
  let done = false;
  const emitting = (async () => {
    while (!done) {
      const id = ++sent;
      const reward = { id, type: 'coins', amount: '1', description: '' };
      await at.relay.emit(
        id % 2
          ? { reward_earned: { user_id: relay.user, reward } }
          : { room_level_up: { room_id: relay.user, new_level: id, new_room_xp: '1' } },
      );
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
  await until(
    () => heard.length >= sent,
    () => `${sent} events, got ${heard.length}`,
  );
  expect(heard).toEqual(Array.from({ length: sent }, (_, n) => n + 1));
});

test('a resume, its rooms included, takes one round trip after TCP', async () => {
  const relay = at.client({ backoff: { min: 1, max: 1 } });
  await Promise.all([relay.join('one').ready, relay.join('two').ready]);
  await isLive(relay);
  const { said } = at.proxy;
  await comesBack(relay, () => at.proxy.cut());
  expect(at.proxy.said - said).toBe(1); // the upgrade; welcome, what was missed and live come unasked
});

test('a path that broke silently is noticed and left', async () => {
  const relay = at.client();
  await isLive(relay);
  const lost: Disconnect[] = [];
  relay.on('disconnect', (how) => lost.push(how));
  const started = performance.now();
  at.proxy.freeze();
  const event = await at.relay.emit({ balance_updated: { user_id: relay.user, coins: '1' } });
  await until(() => relay.cursor === event.cursor);
  expect(lost).toMatchObject([{ code: 1006, reason: 'nothing heard' }]);
  // Not sooner than the ping interval (1 s) and its margin (10 s), of which pings may have used some.
  expect(performance.now() - started).toBeGreaterThan(9_000);
});

test('a relay that is killed and starts anew is a gap, told once', async () => {
  const relay = at.client();
  const room = relay.join(relay.user);
  const gaps: Gap[] = [];
  relay.on('gap', (gap) => gaps.push(gap));
  await room.ready;
  const since = relay.cursor;
  await at.relay.kill();
  await isAway(relay);
  await at.relay.start();
  await isLive(relay);
  await until(() => room.state.value === 'joined');
  expect(gaps).toEqual([{ reason: 'epoch', since, cursor: expect.any(String) }]);
  await room.chat('still here');
});

test('a relay that drains says when to come back, and is obeyed', async () => {
  const relay = at.client();
  const lost: Disconnect[] = [];
  relay.on('disconnect', (how) => lost.push(how));
  await isLive(relay);
  at.relay.drain();
  await isAway(relay);
  expect(lost[0]).toMatchObject({ code: 4003 });
  const told = Number(/retry_after_ms=(\d+)/.exec(lost[0]!.reason)![1]);
  expect(lost[0]!.retryIn).toBe(told);
  await at.relay.exited();
  await at.relay.start();
  await isLive(relay);
});

test('a relay that is not there yet is waited for', async () => {
  at.proxy.refusing = true;
  const relay = at.client();
  let lost = 0;
  relay.on('disconnect', () => lost++);
  await until(() => lost > 2);
  expect(relay.state.value).toBe('connecting');
  at.proxy.refusing = false;
  await isLive(relay);
});

test('a kept cursor goes on after a reload, for its user only', async () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const user = newUser();
  const before = at.client({ persist: storage }, user);
  await isLive(before);
  const { cursor } = await at.relay.emit({ balance_updated: { user_id: user, coins: '1' } });
  await until(() => before.cursor === cursor);
  before.close();

  const missed = await at.relay.emit({ balance_updated: { user_id: user, coins: '2' } });
  const after = at.client({ persist: storage }, user);
  const coins: unknown[] = [];
  after.on('balance.updated', (balance) => coins.push(balance.coins));
  await until(() => after.cursor === missed.cursor);
  expect(coins).toEqual(['2']);
  after.close();

  const other = at.client({ persist: storage });
  const hellos: unknown[] = [];
  other.on('welcome', ({ recovered }) => hellos.push(recovered));
  await isLive(other);
  expect(hellos).toEqual([null]);
});
