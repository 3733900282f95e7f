import { expect, test } from 'vitest';
import type { Disconnect, Gap, SessionClosed, TokenRequest } from '../../src/index.js';
import { comesBack, isLive, newUser, stage } from '../support/client.js';
import { token } from '../support/relay.js';
import { pause, until } from '../support/wait.js';

const at = stage();

test('is renewed in place before it ends', async () => {
  const user = newUser();
  const reasons: string[] = [];
  const source = ({ reason }: TokenRequest) => {
    reasons.push(reason);
    return token(user, 4);
  };
  const relay = at.client({ token: source }, user);
  const lost: Disconnect[] = [];
  relay.on('disconnect', (how) => lost.push(how));
  await isLive(relay);
  await until(() => reasons.length >= 3);
  expect(reasons.slice(0, 3)).toEqual(['connect', 'renew', 'renew']);
  expect(lost).toEqual([]);
});

test('that ended is replaced on 4001, and nothing is missed', async () => {
  const user = newUser();
  let failing = false;
  const source = () => {
    if (failing) throw new Error('the application is down');
    return token(user, 3);
  };
  const relay = at.client({ token: source }, user);
  const lost: Disconnect[] = [];
  const failures: unknown[] = [];
  relay.on('disconnect', (how) => lost.push(how));
  relay.on('connect_error', (error) => failures.push(error));
  await isLive(relay);
  failing = true;
  await until(() => lost.some(({ code }) => code === 4001));
  expect(failures).not.toEqual([]);
  await until(() => lost.length > 2); // token() fails, and is asked again
  expect(lost.at(-1)).toMatchObject({ code: 1006, error: new Error('the application is down') });
  const { cursor } = await at.relay.emit({ balance_updated: { user_id: user, coins: '1' } });
  failing = false;
  await until(() => relay.cursor === cursor);
});

test('is used again for a reconnect while it is good', async () => {
  const user = newUser();
  let asked = 0;
  const source = () => {
    asked++;
    return token(user);
  };
  const relay = at.client({ token: source }, user);
  await isLive(relay);
  await comesBack(relay, () => at.proxy.cut());
  expect(asked).toBe(1);
});

test('given as text ends the session when it ends', async () => {
  const user = newUser();
  const relay = at.client({ token: token(user, 2) }, user);
  const closed: SessionClosed[] = [];
  relay.on('session:closed', (how) => closed.push(how));
  await until(() => relay.state.value === 'closed');
  expect(closed).toMatchObject([{ code: 4001 }]);
});

test('that nobody signed closes for good', async () => {
  const relay = at.client({ token: () => token(1).slice(0, -4) + 'AAAA' });
  const closed: SessionClosed[] = [];
  relay.on('session:closed', (how) => closed.push(how));
  await until(() => relay.state.value === 'closed');
  expect(closed).toMatchObject([{ code: 4500 }]);
  const { accepted } = at.proxy;
  await pause(500);
  expect(at.proxy.accepted).toBe(accepted);
});

test('of another user starts anew, and says so', async () => {
  let user = newUser();
  const relay = at.client({ token: () => token(user, 3) }, user);
  const gaps: Gap[] = [];
  relay.on('gap', (gap) => gaps.push(gap));
  await isLive(relay);
  user = newUser();
  await until(() => relay.userId === user);
  expect(gaps).toMatchObject([{ reason: 'user', since: undefined }]);
});

test('a source that gives nonsense is asked again, further and further apart', async () => {
  let asked = 0;
  const source = () => {
    asked++;
    return asked < 3 ? (undefined as unknown as string) : token(7);
  };
  const relay = at.client({ token: source }, 7);
  const lost: Disconnect[] = [];
  relay.on('disconnect', (how) => lost.push(how));
  await isLive(relay);
  expect(lost).toHaveLength(2);
  expect(lost[0]!.error).toBeInstanceOf(TypeError);
});
