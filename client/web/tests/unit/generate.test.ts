import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
// @ts-expect-error a script without types
import { generate } from '../../scripts/generate.mjs';
import { printContract } from '../support/relay.js';

const committed = (): string =>
  readFileSync(new URL('../../src/generated/contract.ts', import.meta.url), 'utf8');

test('the committed types are what the relay prints now (else: npm run generate)', () => {
  expect(generate(JSON.parse(printContract()))).toBe(committed());
});

test('comments of the proto are carried over', () => {
  const proto = readFileSync(new URL('../../../../proto/msab/v1/events.proto', import.meta.url), 'utf8');
  expect(proto).toContain('// Where its logo is; `null` if it has none.');
  expect(committed()).toContain('Where its logo is; `null` if it has none.');
  expect(committed()).toContain('Audience: room, named by `room_id`. Class: DURABLE.');
});

test('what only the Socket.IO dialect says is no type of this client', () => {
  const { messages } = JSON.parse(printContract()).components;
  expect(messages.SessionClosed).toMatchObject({ name: 'session:closed', 'x-dialect': 'socketio' });
  expect(committed()).not.toContain('SessionClosed');
});

test('a kind of field that it does not know is an error, not a guess', () => {
  const contract = JSON.parse(printContract());
  contract.components.schemas.BalanceUpdated.properties.coins.type = 'decimal';
  expect(() => generate(contract)).toThrow('no TypeScript is known for');
});
