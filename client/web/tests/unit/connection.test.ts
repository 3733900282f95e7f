import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, type Disconnect, type Relay, type RelayOptions } from '../../src/index.js';
import { FakeSocket } from '../support/fake_socket.js';

const JWT = `x.${btoa('{"sub":"42"}')}.x`.replaceAll('=', '');
let relay: Relay;
let lost: Disconnect[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  FakeSocket.all = [];
});
afterEach(() => {
  relay.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** What is due now: microtasks, and timers of 0 ms (a millisecond, for Node). */
const settle = () => vi.advanceTimersByTimeAsync(1);

async function start(options: Partial<RelayOptions> = {}): Promise<void> {
  relay = connect('https://relay.example.com', {
    token: () => JWT,
    WebSocket: FakeSocket as unknown as typeof WebSocket,
    ...options,
  });
  lost = [];
  relay.on('disconnect', (how) => lost.push(how));
  await settle();
}

test('the token goes as a subprotocol, cursor and rooms in the query', async () => {
  await start({ cursor: 'abc-7', rooms: [42, 'lobby:1'] });
  expect(FakeSocket.last.url.href).toBe('wss://relay.example.com/ws?cursor=abc-7&rooms=42%2Clobby%3A1');
  expect(FakeSocket.last.protocols).toEqual(['msab.v1', `token.${JWT}`]);
});

test('an address that is none is told at once, where it was written', () => {
  const options = { token: JWT, WebSocket: FakeSocket as unknown as typeof WebSocket };
  expect(() => connect('wss://', options)).toThrow(TypeError);
});

test('one of this page, where there is no page, is never asked a token for', async () => {
  const token = vi.fn(() => JWT);
  await start({ token });
  relay.close();
  FakeSocket.all = [];
  relay = connect('/ws', { token, WebSocket: FakeSocket as unknown as typeof WebSocket });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(token).toHaveBeenCalledTimes(1);
  expect(FakeSocket.all).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

describe('close codes', () => {
  test.each([1000, 1001, 1006, 1012, 3000, 4000, 4002, 4499])('%d: comes back, jittered', async (code) => {
    await start();
    FakeSocket.last.welcome();
    FakeSocket.last.end(code, 'reason');
    expect(lost).toEqual([{ code, reason: 'reason', retryIn: 500 }]);
    await vi.advanceTimersByTimeAsync(499);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.all).toHaveLength(2);
    expect(FakeSocket.last.url.searchParams.get('cursor')).toBe('e-10');
  });

  test.each([4501, 4502, 4503, 4504, 4999])('%d: never', async (code) => {
    await start();
    const closed = vi.fn();
    relay.on('session:closed', (how) => closed(how));
    FakeSocket.last.welcome();
    FakeSocket.last.end(code, 'reason');
    expect(relay.state.value).toBe('closed');
    expect(closed).toHaveBeenCalledExactlyOnceWith({ code, reason: 'reason' });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('4500 with a token that was good before: once more with a new one', async () => {
    const token = vi.fn(() => `${JWT}${token.mock.calls.length}`);
    await start({ token });
    FakeSocket.last.welcome();
    FakeSocket.last.end(1006);
    await vi.advanceTimersByTimeAsync(500);
    expect(token).toHaveBeenCalledTimes(1);
    FakeSocket.last.end(4500);
    await settle();
    expect(token).toHaveBeenLastCalledWith(expect.objectContaining({ reason: 'refused' }));
    FakeSocket.last.end(4500);
    expect(relay.state.value).toBe('closed');
  });

  test('4003: when it was told to, neither sooner nor later', async () => {
    await start();
    FakeSocket.last.welcome();
    FakeSocket.last.end(4003, 'draining retry_after_ms=7000');
    await vi.advanceTimersByTimeAsync(6_999);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('failures in a row: twice as far apart each, up to the bound', async () => {
    await start({ backoff: { min: 100, max: 1_000 } });
    for (let n = 0; n < 6; n++) {
      FakeSocket.last.end(1006);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(lost.map(({ retryIn }) => retryIn)).toEqual([50, 100, 200, 400, 500, 500]);
  });

  test('a relay that welcomes and throws out again is kept some distance from', async () => {
    await start({ backoff: { min: 100, max: 10_000 } });
    for (let n = 0; n < 6; n++) {
      FakeSocket.last.welcome();
      FakeSocket.last.end(4000);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(lost.map(({ retryIn }) => retryIn)).toEqual([50, 100, 200, 400, 400, 400]);
  });
});

test('an attempt that gets no welcome is given up', async () => {
  await start();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(lost).toMatchObject([{ reason: 'no welcome in time' }]);
  expect(FakeSocket.all[0]!.closed).toBe(true);
});

test('a silent path is left after the ping interval and its margin; the clock on the wall may jump', async () => {
  await start();
  FakeSocket.last.welcome();
  await vi.advanceTimersByTimeAsync(20_000);
  vi.setSystemTime(Date.now() + 86_400_000);
  await vi.advanceTimersByTimeAsync(10_000);
  FakeSocket.last.receive({ event: 'ping', cursor: 'e-11' });
  vi.setSystemTime(Date.now() - 2 * 86_400_000);
  await vi.advanceTimersByTimeAsync(34_000);
  expect(lost).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(lost).toMatchObject([{ reason: 'nothing heard' }]);
});

test('opened twice, woken while the token is fetched: one socket', async () => {
  let give: (token: string) => void = () => {};
  await start({ token: () => new Promise((resolve) => (give = resolve)) });
  relay.open();
  relay.open();
  give(JWT);
  await settle();
  expect(FakeSocket.all).toHaveLength(1);
});

test('closed while the token is fetched: none, and its signal is aborted', async () => {
  let give: (token: string) => void = () => {};
  let aborted: AbortSignal;
  await start({
    token: ({ signal }) => {
      aborted = signal;
      return new Promise((resolve) => (give = resolve));
    },
  });
  relay.close();
  give(JWT);
  await settle();
  expect(FakeSocket.all).toHaveLength(0);
  expect(aborted!.aborted).toBe(true);
});

test('closed and opened again: goes on where it was', async () => {
  await start();
  FakeSocket.last.welcome();
  FakeSocket.last.receive({ event: 'balance.updated', data: {}, cursor: 'e-12' });
  relay.close();
  expect(FakeSocket.open).toHaveLength(0);
  relay.open();
  await settle();
  expect(FakeSocket.last.url.searchParams.get('cursor')).toBe('e-12');
});

test('a token source that hangs fails after its time', async () => {
  await start({ token: () => new Promise(() => {}) });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(lost).toMatchObject([{ error: new Error('token() took longer than 30 s') }]);
});

test('a relay that is away is no storm on who signs tokens', async () => {
  const exp = Date.now() / 1000 + 3600;
  const token = vi.fn(() => `x.${btoa(JSON.stringify({ sub: '42', exp }))}.x`.replaceAll('=', ''));
  await start({ token });
  for (let n = 0; n < 10; n++) {
    FakeSocket.last.end(1006);
    await vi.advanceTimersByTimeAsync(30_000);
  }
  expect(FakeSocket.all.length).toBeGreaterThan(9);
  expect(token).toHaveBeenCalledTimes(1);
});

test('a command without an answer puts the path in doubt', async () => {
  await start();
  FakeSocket.last.welcome();
  const sent = relay.request('chat:message', { roomId: 1, content: 'x' }, { timeout: 1_000 });
  await Promise.all([
    expect(sent).rejects.toMatchObject({ code: 'TIMEOUT' }),
    vi.advanceTimersByTimeAsync(1_000),
  ]);
  await vi.advanceTimersByTimeAsync(3_001);
  expect(lost).toMatchObject([{ reason: 'no answer' }]);
});

test('a token that is good for months is renewed once, not for ever at once', async () => {
  const token = vi.fn(() => JWT);
  await start({ token });
  FakeSocket.last.welcome({ tokenExpiresAt: Date.now() + 90 * 86_400_000 });
  for (let day = 0; day < 20; day++) {
    FakeSocket.last.receive({ event: 'ping', cursor: 'e-11' });
    await vi.advanceTimersByTimeAsync(30_000);
  }
  expect(token).toHaveBeenCalledTimes(1);
});

describe('the page', () => {
  let win: EventTarget;
  let doc: EventTarget;
  const online = (onLine: boolean) => {
    vi.stubGlobal('navigator', { onLine });
    win.dispatchEvent(new Event(onLine ? 'online' : 'offline'));
  };
  beforeEach(() => {
    vi.stubGlobal('window', (win = new EventTarget()));
    vi.stubGlobal('document', Object.assign((doc = new EventTarget()), { visibilityState: 'visible' }));
  });

  test('back in view, a wait is cut short', async () => {
    await start();
    FakeSocket.last.end(1006);
    doc.dispatchEvent(new Event('visibilitychange'));
    await settle();
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('but not one that the relay told', async () => {
    await start();
    FakeSocket.last.end(4003, 'retry_after_ms=9000');
    doc.dispatchEvent(new Event('visibilitychange'));
    online(true);
    await vi.advanceTimersByTimeAsync(8_999);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('back in view, a connection must show that it lives', async () => {
    await start();
    FakeSocket.last.welcome();
    doc.dispatchEvent(new Event('visibilitychange'));
    expect(FakeSocket.last.sent).toEqual([{ id: 0, event: 'ping' }]);
    await vi.advanceTimersByTimeAsync(2_000);
    FakeSocket.last.receive({ reply: 0, ok: true, data: {} });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(lost).toEqual([]);
    doc.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(3_000);
    await settle();
    expect(lost).toMatchObject([{ reason: 'no answer', retryIn: 0 }]);
    expect(FakeSocket.open).toHaveLength(1);
  });

  test('offline: says so once the path fails, and is back at once when online', async () => {
    await start();
    FakeSocket.last.welcome();
    online(false);
    expect(relay.state.value).toBe('live'); // a relay on this machine still is
    await vi.advanceTimersByTimeAsync(3_000);
    expect(relay.state.value).toBe('offline');
    FakeSocket.last.end(1006);
    const attempts = FakeSocket.all.length;
    online(true);
    expect(relay.state.value).toBe('recovering');
    await settle();
    expect(FakeSocket.all).toHaveLength(attempts + 1);
  });

  test('put away, it holds no socket; shown again, it has one', async () => {
    await start();
    FakeSocket.last.welcome();
    win.dispatchEvent(new Event('pagehide'));
    expect(FakeSocket.open).toHaveLength(0);
    expect(relay.state.value).toBe('offline');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(FakeSocket.all).toHaveLength(1);
    win.dispatchEvent(new Event('pageshow'));
    await settle();
    expect(FakeSocket.open).toHaveLength(1);
    FakeSocket.last.welcome({ recovered: true });
    expect(relay.state.value).toBe('live');
  });
});
