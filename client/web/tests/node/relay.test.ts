import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import type { Gap } from '../../src/index.js';
import { comesBack, isLive, newUser, stage } from '../support/client.js';
import { token } from '../support/relay.js';
import { until } from '../support/wait.js';

const at = stage();

test('hears its own events, typed and in order, and unsubscribes', async () => {
  const relay = at.client();
  const coins: (string | undefined)[] = [];
  const off = relay.on('balance.updated', (balance, frame) => {
    coins.push(balance.coins);
    expect(frame.cursor).toBe(relay.cursor);
  });
  const ended = new AbortController();
  let heard = 0;
  relay.on('balance.updated', () => heard++, { signal: ended.signal });
  await isLive(relay);
  for (const n of [1, 2]) await at.relay.emit({ balance_updated: { user_id: relay.user, coins: String(n) } });
  await until(() => coins.length === 2);
  off();
  ended.abort();
  const { cursor } = await at.relay.emit({ balance_updated: { user_id: relay.user, coins: '3' } });
  await until(() => relay.cursor === cursor);
  expect(coins).toEqual(['1', '2']);
  expect(heard).toBe(2);
});

test('the bootstrap pattern: what happened since the cursor arrives first', async () => {
  const user = newUser();
  const cursor = await at.relay.cursor();
  await at.relay.emit({
    reward_earned: { user_id: user, reward: { id: 1, type: 'coins', amount: '5', description: '' } },
  });
  const relay = at.client({ cursor }, user);
  const order: unknown[] = [];
  relay.state.subscribe((state) => order.push(state));
  relay.on('reward.earned', ({ reward }) => order.push(reward.id));
  relay.on('gap', (gap) => order.push(gap));
  await isLive(relay);
  expect(order).toEqual(['connecting', 'recovering', 1, 'live']);
});

describe('rooms', () => {
  test('keep their participants, carry chat, and end', async () => {
    const [ann, bob] = [at.client(), at.client()];
    const room = ann.join(`r${ann.user}`);
    await room.ready;
    expect(room.participants.map(({ id, name }) => [id, name])).toEqual([[ann.user, `User ${ann.user}`]]);
    const bobs = bob.join(`r${ann.user}`);
    await bobs.ready;
    await until(() => room.participants.length === 2);
    const heard: string[] = [];
    room.on('chat:message', ({ content, userId }) => heard.push(`${userId}: ${content}`));
    const { id, clientId } = await bobs.chat('hello');
    expect(id).toBeTruthy();
    expect(clientId).toBeTruthy();
    await until(() => heard.length === 1);
    expect(heard).toEqual([`${bob.user}: hello`]);
    bobs.leave();
    await until(() => room.participants.length === 1);
    await expect(room.chat('')).rejects.toMatchObject({ name: 'RelayError', code: 'INVALID_PAYLOAD' });
    await expect(ann.join('private-1').ready).rejects.toMatchObject({ code: 'ROOM_FORBIDDEN' });
  });

  test('are resumed over a cut, with what was said meanwhile', async () => {
    const [ann, bob] = [at.client(), at.client()];
    const room = ann.join(ann.user);
    const bobs = bob.join(String(ann.user));
    await Promise.all([room.ready, bobs.ready]);
    const heard: string[] = [];
    room.on('chat:message', ({ content }) => heard.push(content));
    at.proxy.refusing = true;
    at.proxy.cut();
    await until(() => ann.state.value === 'recovering');
    const sent = bobs.chat('while away', { timeout: 150_000 });
    await at.relay.emit({ room_level_up: { room_id: ann.user, new_level: 3, new_room_xp: '10' } });
    at.proxy.refusing = false;
    await sent;
    await until(() => heard.length === 1);
    expect(room.participants.length).toBe(2);
  });
});

test('a gap is told once, and rooms take a new snapshot', async () => {
  const relay = at.client({ cursor: 'otherepoch-5', rooms: ['lobby'] });
  const gaps: Gap[] = [];
  relay.on('gap', (gap) => gaps.push(gap));
  const room = relay.join('lobby');
  await isLive(relay);
  await room.ready;
  expect(gaps).toMatchObject([{ reason: 'epoch', since: 'otherepoch-5' }]);
  await comesBack(relay, () => at.proxy.cut());
  expect(gaps).toHaveLength(1);
});

test('closed, it keeps no program running', async () => {
  const script = `
    import { connect } from ${JSON.stringify(await builtCore())};
    const relay = connect(${JSON.stringify(at.relay.url)}, { token: ${JSON.stringify(token(newUser()))} });
    relay.join('lobby');
    relay.state.subscribe((state) => {
      console.log(state);
      if (state === 'live') relay.close();
    });`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 150_000,
  });
  expect(child.stdout.trim().split('\n')).toEqual(['connecting', 'live', 'closed']);
  expect(child.status).toBe(0);
});

/** The core as one module, in a data: address. */
async function builtCore(): Promise<string> {
  const entry = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  return `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`;
}
