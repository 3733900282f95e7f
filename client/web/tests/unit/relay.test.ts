import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, type Relay, type RelayErrorCode } from '../../src/index.js';
import { FakeSocket } from '../support/fake_socket.js';

const JWT = `x.${btoa('{"sub":"42"}')}.x`.replaceAll('=', '');
let relay: Relay;

beforeEach(async () => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  relay = connect('wss://relay.example.com/ws', {
    token: () => JWT,
    WebSocket: FakeSocket as unknown as typeof WebSocket,
  });
  await vi.advanceTimersByTimeAsync(0);
});
afterEach(() => {
  relay.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const event = (n: number, name = 'config:invalidate') => ({
  event: name,
  data: { type: 'all', n },
  cursor: `e-${n}`,
});

test('what was heard is not heard again', () => {
  const heard: unknown[] = [];
  relay.on('config:invalidate', (_, { cursor }) => heard.push(cursor));
  FakeSocket.last.welcome();
  for (const n of [9, 10, 11, 12, 12, 11, 13]) FakeSocket.last.receive(event(n));
  expect(heard).toEqual(['e-11', 'e-12', 'e-13']);
});

test('a mark that lies behind what was heard takes nothing back', () => {
  const heard: unknown[] = [];
  relay.on('config:invalidate', (_, { cursor }) => heard.push(cursor));
  FakeSocket.last.welcome();
  FakeSocket.last.receive(event(15));
  for (const mark of ['ping', 'live'] as const) {
    FakeSocket.last.receive({ event: mark, cursor: 'e-9' });
    FakeSocket.last.receive(event(14));
  }
  expect(relay.cursor).toBe('e-15');
  FakeSocket.last.receive({ event: 'ping', cursor: 'e-16' });
  expect(relay.cursor).toBe('e-16');
  expect(heard).toEqual(['e-15']);
});

test('a listener that throws stops nobody, and is reported', () => {
  const report = vi.spyOn(console, 'error').mockImplementation(() => {});
  const error = new Error('a bug of the application');
  const second = vi.fn();
  relay.on('config:invalidate', () => {
    throw error;
  });
  relay.on('config:invalidate', second);
  FakeSocket.last.welcome();
  FakeSocket.last.receive(event(11));
  FakeSocket.last.receive(event(12));
  expect(second).toHaveBeenCalledTimes(2);
  expect(report).toHaveBeenCalledWith(error);
  expect(relay.cursor).toBe('e-12');
});

test('listeners that come and go during an event change nothing for it', () => {
  const calls: string[] = [];
  const offs: (() => void)[] = [];
  relay.on(
    'config:invalidate',
    () => {
      calls.push('first');
      offs[0]!();
      relay.on('config:invalidate', () => calls.push('new'));
    },
    { once: true },
  );
  offs.push(relay.on('config:invalidate', () => calls.push('second')));
  FakeSocket.last.welcome();
  FakeSocket.last.receive(event(11));
  expect(calls).toEqual(['first', 'second']);
  FakeSocket.last.receive(event(12));
  expect(calls).toEqual(['first', 'second', 'new']);
});

test('who is told of a state last is told the last state', async () => {
  FakeSocket.last.welcome();
  const told: string[] = [];
  relay.state.subscribe((state) => state === 'recovering' && relay.close());
  relay.state.subscribe((state) => told.push(state));
  FakeSocket.last.end(1006);
  expect(relay.state.value).toBe('closed');
  expect(told.at(-1)).toBe('closed');
});

test('the same function twice is two subscriptions, each ended by its own', () => {
  const listener = vi.fn();
  const off = relay.on('config:invalidate', listener);
  relay.on('config:invalidate', listener);
  FakeSocket.last.welcome();
  FakeSocket.last.receive(event(11));
  expect(listener).toHaveBeenCalledTimes(2);
  off();
  off();
  FakeSocket.last.receive(event(12));
  expect(listener).toHaveBeenCalledTimes(3);
});

test('a room that is left and joined again in one go is not left', async () => {
  FakeSocket.last.welcome();
  relay.join(42).leave();
  const room = relay.join('42');
  await vi.advanceTimersByTimeAsync(10);
  expect(FakeSocket.last.sent.map(({ event }) => event)).toEqual(['room:join']);
  room.leave();
  await vi.advanceTimersByTimeAsync(10);
  expect(FakeSocket.last.sent.map(({ event }) => event)).toEqual(['room:join', 'room:leave']);
});

test('two handles are one membership: the last leaves', async () => {
  FakeSocket.last.welcome();
  const [one, two] = [relay.join(42), relay.join(42)];
  one.leave();
  one.leave();
  await vi.advanceTimersByTimeAsync(10);
  expect(FakeSocket.last.sent.map(({ event }) => event)).toEqual(['room:join']);
  const heard: unknown[] = [];
  one.on('chat:message', () => heard.push('one'));
  two.on('chat:message', () => heard.push('two'));
  FakeSocket.last.receive({ ...event(11, 'chat:message'), room: '42' } as never);
  expect(heard).toEqual(['two']);
});

test('a room that the relay does not resume is a gap of that room, and joined again', async () => {
  FakeSocket.last.welcome();
  const room = relay.join(42);
  const answer = { roomId: '42', participants: [], cursor: 'e-11' };
  FakeSocket.last.receive({ reply: FakeSocket.last.sent[0]!.id, ok: true, data: answer });
  await room.ready;
  const gaps: unknown[] = [];
  relay.on('gap', (gap) => gaps.push(gap));
  FakeSocket.last.end(1006);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(FakeSocket.last.url.searchParams.get('rooms')).toBe('42');
  FakeSocket.last.welcome({ recovered: true, rooms: [] });
  expect(gaps).toEqual([{ reason: 'room', room: '42', since: 'e-10', cursor: 'e-10' }]);
  expect(FakeSocket.last.sent).toMatchObject([{ event: 'room:join', data: { roomId: '42' } }]);
});

test('a room left while away is not entered by the resume', async () => {
  FakeSocket.last.welcome({ rooms: ['7'] });
  expect(FakeSocket.last.sent).toMatchObject([{ event: 'room:leave', data: { roomId: '7' } }]);
});

test('a join that is refused for now is tried again', async () => {
  FakeSocket.last.welcome();
  const room = relay.join(42);
  const refuse = (code: RelayErrorCode, retryAfter?: number) =>
    FakeSocket.last.receive({
      reply: FakeSocket.last.sent.at(-1)!.id,
      ok: false,
      error: { code, message: '', ...(retryAfter && { retryAfter }) },
    });
  refuse('RATE_LIMITED', 100);
  await vi.advanceTimersByTimeAsync(200);
  expect(FakeSocket.last.sent).toHaveLength(2);
  expect(room.state.value).toBe('joining');
  refuse('ROOM_FORBIDDEN');
  await expect(room.ready).rejects.toMatchObject({ code: 'ROOM_FORBIDDEN' });
  expect(room.error).toMatchObject({ code: 'ROOM_FORBIDDEN' });
});

describe('closed', () => {
  test('by who is told of a gap, it says no more', async () => {
    relay.on('gap', () => relay.close());
    const welcomed = vi.fn();
    relay.on('welcome', welcomed);
    relay.join(42);
    FakeSocket.last.welcome({ recovered: false, gap: 'expired' });
    expect(relay.state.value).toBe('closed');
    expect(welcomed).not.toHaveBeenCalled();
    expect(FakeSocket.last.sent).toEqual([]);
  });

  test('rooms on their way in are not waited for; opened again, they are', async () => {
    const room = relay.join(42); // before there is a connection
    const before = room.ready;
    relay.close();
    await expect(before).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(room.ready).rejects.toMatchObject({ code: 'CLOSED' });
    relay.open();
    const ready = room.ready;
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.last.welcome();
    const answer = { roomId: '42', participants: [], cursor: 'e-11' };
    FakeSocket.last.receive({ reply: FakeSocket.last.sent[0]!.id, ok: true, data: answer });
    await ready;
  });

  test('and opened again by who was told of it, rooms are on their way in', async () => {
    const room = relay.join(42);
    const off = relay.state.subscribe((state) => state === 'closed' && relay.open());
    relay.close();
    off();
    const ready = room.ready;
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.last.welcome();
    const answer = { roomId: '42', participants: [], cursor: 'e-11' };
    FakeSocket.last.receive({ reply: FakeSocket.last.sent[0]!.id, ok: true, data: answer });
    await ready;
  });

  test('it leaves no timer behind, whatever was going on', async () => {
    FakeSocket.last.welcome();
    relay.join(42);
    const { id } = FakeSocket.last.sent[0]!;
    const error = { code: 'RATE_LIMITED' as const, message: '', retryAfter: 60_000 };
    FakeSocket.last.receive({ reply: id, ok: false, error });
    void relay.request('chat:message', { roomId: 42, content: 'x' }).catch(() => {});
    await vi.advanceTimersByTimeAsync(10);
    relay.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('whatever a signal is aborted with, the command rejects with it', async () => {
  FakeSocket.last.welcome();
  for (const reason of [null, 'enough']) {
    const ended = new AbortController();
    const sent = relay.request('room:join', { roomId: 1 }, { signal: ended.signal });
    ended.abort(reason);
    await expect(sent).rejects.toBe(reason);
  }
});

test('a time limit may be longer than timers go', async () => {
  FakeSocket.last.welcome();
  let over = false;
  const sent = relay.request('room:join', { roomId: 1 }, { timeout: Infinity });
  sent.catch(() => (over = true));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(over).toBe(false);
});
