// The frames that the relay really sends, against the schemas of the contract that it prints.
import { Ajv } from 'ajv';
import { afterEach, expect, test } from 'vitest';
import { newUser, stage } from '../support/client.js';
import { printContract, token } from '../support/relay.js';
import { until } from '../support/wait.js';

const at = stage();
const contract = JSON.parse(printContract());
const ajv = new Ajv({ strict: false, schemas: [{ $id: 'contract', ...contract }] });
const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** What is wrong with `value`, as a schema of the contract has it. */
function faults(schema: string, value: unknown): unknown {
  const validate = ajv.getSchema(`contract#/components/schemas/${schema}`)!;
  return validate(value) ? [] : validate.errors;
}

function connected(query = '', user = newUser()) {
  const socket = new WebSocket(`${at.relay.url}${query}`, ['msab.v1', `token.${token(user)}`]);
  const frames: any[] = [];
  const closed: { code?: number } = {};
  socket.onmessage = ({ data }) => frames.push(JSON.parse(data));
  socket.onclose = ({ code }) => (closed.code = code);
  sockets.push(socket);
  const frame = async (is: (frame: any) => boolean) => {
    await until(() => frames.some(is), 'a frame');
    return frames.find(is);
  };
  return { socket, frame, closed, user };
}
const named = (event: string) => (frame: any) => frame.event === event;

test('welcome, live and ping', async () => {
  const first = connected();
  const { event, data, ...more } = await first.frame(named('welcome'));
  expect([event, more]).toEqual(['welcome', {}]);
  expect(faults('Welcome', data)).toEqual([]);
  for (const [mark, schema] of [
    ['live', 'Live'],
    ['ping', 'Ping'],
  ] as const) {
    const { event: _, ...beside } = await first.frame(named(mark));
    expect(faults(schema, beside)).toEqual([]);
  }

  await at.relay.emit({ balance_updated: { user_id: first.user, coins: '1' } });
  const resumed = await connected(`?cursor=${data.cursor}&rooms=a,b`, first.user).frame(named('welcome'));
  expect(resumed.data).toMatchObject({ recovered: true, missed: 1, rooms: ['a', 'b'] });
  expect(faults('Welcome', resumed.data)).toEqual([]);
  const lost = await connected('?cursor=other-1').frame(named('welcome'));
  expect(lost.data).toMatchObject({ recovered: false, gap: 'epoch' });
  expect(faults('Welcome', lost.data)).toEqual([]);
  expect(faults('Welcome', { ...lost.data, gap: 'unheard of' })).not.toEqual([]); // it can fail
});

test('refusals, each with a code of the contract', async () => {
  const { socket, frame } = connected();
  await frame(named('live'));
  let id = 0;
  const refusal = async (event: string, data: object) => {
    const mine = ++id;
    socket.send(JSON.stringify({ id: mine, event, data }));
    const { reply: _, ok, error, ...more } = await frame(({ reply }) => reply === mine);
    expect([ok, more]).toEqual([false, {}]);
    expect(faults('Refusal', error)).toEqual([]);
    return error;
  };
  expect(await refusal('room:dance', {})).toMatchObject({ code: 'UNKNOWN_EVENT' });
  expect(await refusal('room:join', {})).toMatchObject({ code: 'INVALID_PAYLOAD', details: [{}] });
  expect(await refusal('chat:message', { roomId: 1, content: 'x' })).toMatchObject({ code: 'NOT_IN_ROOM' });
  expect(await refusal('room:join', { roomId: 'private-1' })).toMatchObject({ code: 'ROOM_FORBIDDEN' });
  expect(await refusal('auth', { token: 'x' })).toMatchObject({ code: 'UNAUTHENTICATED' });
  for (let n = 0; n < 200; n++) socket.send('{"event":"ping"}');
  expect(await refusal('room:join', {})).toMatchObject({
    code: 'RATE_LIMITED',
    retryAfter: expect.any(Number),
  });
});

test('closes, each with a code of the contract', async () => {
  const codes: { code: number; name: string }[] = contract.channels.relay['x-close-codes'];
  const closes = async (name: string, { closed }: ReturnType<typeof connected>) => {
    await until(() => closed.code, 'the close');
    expect(codes.find(({ code }) => code === closed.code)).toMatchObject({ name });
  };
  const rude = connected();
  await rude.frame(named('live'));
  rude.socket.send('not JSON');
  await closes('PROTOCOL_ERROR', rude);
  await closes('UNAUTHENTICATED', connected('', -1));
});
