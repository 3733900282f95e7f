import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { connect, RelayError } from '../../src/index.js';
import { isLive, stage } from '../support/client.js';
import { RelayProcess, token } from '../support/relay.js';
import { until } from '../support/wait.js';

const at = stage();

test('a chat message whose answer was lost is sent again, and said once', async () => {
  const ann = at.client();
  const bob = at.client({ direct: true });
  const room = ann.join(ann.user);
  const bobs = bob.join(ann.user);
  await Promise.all([room.ready, bobs.ready]);
  const heard: string[] = [];
  bobs.on('chat:message', ({ content }) => heard.push(content));
  at.proxy.delay = 10_000; // what the relay answers is still on its way when the connection breaks
  const sent = room.chat('once', { timeout: 30_000 });
  await until(() => heard.length);
  at.proxy.cut();
  at.proxy.delay = 0;
  await sent;
  await room.chat('after');
  await until(() => heard.includes('after'));
  expect(heard).toEqual(['once', 'after']);
});

test('without an id of its own it is not repeated', async () => {
  const relay = at.client();
  await relay.join(relay.user).ready;
  at.proxy.delay = 5_000;
  const sent = relay.request('chat:message', { roomId: relay.user, content: 'perhaps' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  at.proxy.cut();
  at.proxy.delay = 0;
  await expect(sent).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
});

test('a gift names the transaction to repeat it with', async () => {
  const relay = at.client();
  const room = relay.join(relay.user);
  await room.ready;
  const errors: unknown[] = [];
  relay.on('gift:error', ({ transactionId, code }) => errors.push([transactionId, code]));
  const error = await room.gift({ giftId: 7, recipientId: 43, transactionId: 't1' }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(RelayError);
  expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { transactionId: 't1' } });
  await until(() => errors.length);
  expect(errors).toEqual([['t1', 'UPSTREAM_UNAVAILABLE']]);
  const bad = await room.gift({ giftId: 0, recipientIds: [1, 2] }).catch((e: unknown) => e);
  expect(bad).toMatchObject({
    code: 'INVALID_PAYLOAD',
    details: { transactionId: expect.stringMatching(/./), violations: [{ field: 'giftId' }] },
  });
});

test('a gift that the application decides on', async () => {
  // The application: takes from everybody but user 13, who has nothing.
  const application = http.createServer(async (request, response) => {
    const { commands } = JSON.parse((await request.toArray()).join('')) as { commands: any[] };
    const results = commands.map(({ id, data, user }) =>
      user.id === 13
        ? { id, status: 'rejected', code: 'INSUFFICIENT_BALANCE', reason: 'too few coins' }
        : { id, status: 'accepted', data: { acceptedRecipientIds: data.recipientIds } },
    );
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ results }));
  });
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const relay = await RelayProcess.start({
    'laravel.webhook_url': `http://127.0.0.1:${(application.address() as AddressInfo).port}/`,
    'laravel.webhook_secrets': `whsec_${Buffer.alloc(32).toString('base64')}`,
  });
  const [giver, poor, watcher] = [12, 13, 14].map((user) => connect(relay.url, { token: token(user) }));
  try {
    const rooms = [giver!, poor!, watcher!].map((client) => client.join('gifts'));
    await Promise.all(rooms.map((room) => room.ready));
    const seen: unknown[] = [];
    rooms[2]!.on('gift:received', ({ senderId, quantity, transactionId }) =>
      seen.push([senderId, quantity, transactionId]),
    );
    const given = await rooms[0]!.gift({ giftId: 7, recipientIds: [14, 13], quantity: 2 });
    expect(given.acceptedRecipientIds).toEqual([14, 13]);
    await until(() => seen.length);
    expect(seen).toEqual([[12, 2, given.transactionId]]);
    await expect(rooms[1]!.gift({ giftId: 7, recipientId: 14, transactionId: 't' })).rejects.toMatchObject({
      code: 'REJECTED',
      details: { code: 'INSUFFICIENT_BALANCE', reason: 'too few coins', transactionId: 't' },
    });
  } finally {
    for (const client of [giver, poor, watcher]) client!.close();
    await relay.stop();
    application.closeAllConnections();
    application.close();
  }
});

test('time limits, signals and the end of the relay reject', async () => {
  const relay = at.client();
  const room = relay.join(relay.user);
  await room.ready;
  at.proxy.freeze();
  await expect(room.chat('late', { timeout: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  const reason = new Error('not any more');
  const ended = new AbortController();
  const aborted = room.chat('unwanted', { signal: ended.signal });
  ended.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  const closed = room.chat('too late');
  relay.close();
  await expect(closed).rejects.toMatchObject({ code: 'CLOSED' });
  await expect(room.chat('much too late')).rejects.toMatchObject({ code: 'CLOSED' });
});

test('one that is too large fails, and the connection comes back', async () => {
  const relay = at.client();
  const room = relay.join(relay.user);
  await room.ready;
  const other = room.chat('small', { timeout: 30_000 });
  await other;
  await expect(room.chat('x'.repeat(20_000))).rejects.toMatchObject({ code: 'TOO_LARGE' });
  await isLive(relay);
  await room.chat('works');
});

test('more than the relay takes a second is refused with a time to wait', async () => {
  const relay = at.client();
  const room = relay.join(relay.user);
  await room.ready;
  const results = await Promise.allSettled(Array.from({ length: 130 }, (_, n) => room.chat(`${n}`)));
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]!.reason).toMatchObject({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) });
});
