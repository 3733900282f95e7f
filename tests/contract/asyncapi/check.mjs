// Reads the contract on stdin with the AsyncAPI ecosystem's own parser:
//   msab-relay --print-contract | node check.mjs
// Fails on any diagnostic of error level, and on a document that leaves something out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DiagnosticSeverity, Parser } from '@asyncapi/parser';

const SERVER_EVENTS = {
  'balance.updated': ['user', 'LATEST'],
  'reward.earned': ['user', 'DURABLE'],
  'badge.earned': ['user', 'DURABLE'],
  'income_target.completed': ['user', 'DURABLE'],
  'room.level_up': ['room', 'DURABLE'],
  'agency.invitation': ['user', 'DURABLE'],
  'agency.join_request': ['user', 'DURABLE'],
  'agency.join_request_approved': ['user', 'DURABLE'],
  'agency.join_request_rejected': ['user', 'DURABLE'],
  'agency.member_kicked': ['user', 'DURABLE'],
  'agency.dissolved': ['user', 'DURABLE'],
  'config:invalidate': ['everyone', 'DURABLE'],
  'asset:invalidate': ['everyone', 'DURABLE'],
  'gift:received': ['room', 'DURABLE'],
  'gift:error': ['user', 'DURABLE'],
  'chat:message': ['room', 'DURABLE'],
  'room:userJoined': ['room', 'DURABLE'],
  'room:userLeft': ['room', 'DURABLE'],
  'speaker:active': ['room', 'EPHEMERAL'],
};
const CLIENT_COMMANDS = ['room:join', 'room:leave', 'chat:message', 'gift:send', 'auth'];

const { document, diagnostics } = await new Parser().parse(readFileSync(0, 'utf8'));
for (const { severity, code, message, path } of diagnostics) {
  console.log(`${DiagnosticSeverity[severity]} ${code} at ${path.join('.')}: ${message}`);
}
const errors = diagnostics.filter(({ severity }) => severity === DiagnosticSeverity.Error);
assert.equal(errors.length, 0, `${errors.length} errors`);
assert.ok(document, 'no document');
assert.match(document.info().version(), /^[0-9a-f]{16}$/);

const only = (list) => {
  assert.equal(list.length, 1);
  return list[0];
};
const sends = document.operations().filterBySend();
const receives = document.operations().filterByReceive();

const events = {};
const frames = {};
for (const operation of sends) {
  const message = only(operation.messages().all());
  const extension = (name) => message.extensions().get(name).value();
  if (message.extensions().has('x-frame')) {
    frames[message.name()] = [extension('x-dialect'), extension('x-frame')];
    assert.ok(message.description(), `${message.name()} has no description`);
    continue;
  }
  events[message.name()] = [only(extension('x-audience')), extension('x-class')];
  assert.ok(message.description(), `${message.name()} has no description`);
  assert.equal(message.payload().type(), 'object');
}
assert.deepEqual(events, SERVER_EVENTS);
assert.deepEqual(frames, {
  welcome: ['native', 'data'],
  live: ['native', 'beside'],
  ping: ['native', 'beside'],
  gap: ['socketio', 'data'],
  'session:closed': ['socketio', 'data'],
});

// What generators of emitters read: the numbers of the .proto.
const { schemas } = document.json().components;
assert.equal(schemas.GiftReceived['x-proto-numbers'].recipientIds, 4);
assert.deepEqual(schemas.Participant['x-proto-numbers'], { id: 1, name: 2, avatar: 3, claims: 4 });
assert.equal(schemas.Participant['x-spread-field'], 'claims');

const commands = [];
for (const operation of receives) {
  const message = only(operation.messages().all());
  commands.push(message.name());
  assert.equal(message.payload().type(), 'object');
  const [answer, refusal, ...more] = operation.reply().messages().all();
  assert.equal(answer.payload().type(), 'object');
  assert.equal(refusal.extensions().get('x-frame').value(), 'error');
  assert.deepEqual(more, []);
}
assert.deepEqual(commands.sort(), CLIENT_COMMANDS.sort());

// The codes, as they are on the wire, and what to do about each.
const relay = document.json().channels.relay;
const retries = (codes) => Object.fromEntries(codes.map(({ code, retry }) => [code, retry]));
assert.deepEqual(retries(relay['x-close-codes']), {
  4000: 'backoff',
  4001: 'new-token',
  4002: 'backoff',
  4003: 'told',
  4004: 'backoff',
  4500: 'never',
  4501: 'never',
  4502: 'never',
  4503: 'never',
  4504: 'never',
});
assert.deepEqual(retries(relay['x-error-codes']), {
  UNAUTHENTICATED: 'new-token',
  NOT_IN_ROOM: 'never',
  ROOM_FORBIDDEN: 'never',
  INVALID_PAYLOAD: 'never',
  UNKNOWN_EVENT: 'never',
  RATE_LIMITED: 'told',
  UPSTREAM_UNAVAILABLE: 'same-id',
  REJECTED: 'never',
  INTERNAL: 'same-id',
});
for (const { code, description } of [...relay['x-close-codes'], ...relay['x-error-codes']]) {
  assert.ok(description, `${code} has no description`);
}
assert.deepEqual(
  schemas.Refusal.properties.code.enum,
  relay['x-error-codes'].map(({ code }) => code),
);

console.log(`${Object.keys(events).length} events, ${Object.keys(frames).length} frames, ${receives.length} commands: a valid AsyncAPI document`);
