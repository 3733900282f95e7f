import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
// @ts-expect-error a script without types
import { generate } from '../../scripts/generate.mjs';
import { printContract } from '../support/relay.js';

// A tree of its own with a release tag, in which the contract is then changed.
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const TYPES = 'client/web/src/generated';
let tree: string;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'msab-gate-'));
  cpSync(`${root}proto`, `${tree}/proto`, { recursive: true });
  mkdirSync(`${tree}/${TYPES}`, { recursive: true });
  cpSync(`${root}${TYPES}/contract.ts`, `${tree}/${TYPES}/contract.ts`);
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('-c', 'user.name=Test', '-c', 'user.email=test@localhost', 'commit', '-qm', 'Release');
});
afterEach(() => git('checkout', '-q', '.'));
afterAll(() => rmSync(tree, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync('git', ['-C', tree, ...args], { encoding: 'utf8' });

function gate(): { passed: boolean; output: string } {
  const script = fileURLToPath(new URL('../../scripts/contract_gate.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--root', tree], {
    encoding: 'utf8',
  });
  return { passed: status === 0, output: stdout + stderr };
}

/** Changes the printed contract, and so the types. */
function change(edit: (schemas: any, contract: any) => void): void {
  const contract = JSON.parse(printContract());
  edit(contract.components.schemas, contract);
  writeFileSync(`${tree}/${TYPES}/contract.ts`, generate(contract));
}

function changeProto(from: string, to: string): void {
  const path = `${tree}/proto/msab/v1/events.proto`;
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

test('without a release it says that there is nothing to compare with', () => {
  expect(gate()).toEqual({ passed: true, output: expect.stringContaining('no release tag') });
  git('tag', 'v0.1.0');
});

test('the same contract passes, and one with more', () => {
  expect(gate()).toEqual({ passed: true, output: expect.stringContaining('against v0.1.0: 0 breaks') });
  change((schemas) => {
    schemas.BalanceUpdated.properties.gems = { type: 'string' };
    schemas.BalanceUpdated.required.push('coins'); // sent always now
    schemas.ChatMessageCommand.properties.type.enum.push('image');
  });
  changeProto('optional string charm_xp = 5', 'optional string gems = 6;\n  optional string charm_xp = 5');
  expect(gate()).toMatchObject({ passed: true });
});

test('every break of the types is told by name', () => {
  change((schemas, { operations }) => {
    schemas['BadgeEarned.Badge'].required = ['id']; // others may be missing
    schemas.ConfigInvalidate.properties.type.enum.push('frames'); // a value that clients don't know
    schemas.GiftError.properties.reason.type = ['string', 'null'];
    delete operations.sendAssetInvalidate;
    schemas.ChatMessageCommand.required.push('clientId'); // commands must bring it now
    schemas.GiftSendCommand.properties.giftId.type = 'string'; // what was taken is taken no longer
    schemas.AuthAnswer.required = []; // says less
    delete operations.receiveRoomLeaveCommand;
    delete schemas.Welcome.properties.missed; // frames, too
    schemas.Refusal.properties.code.enum.push('OUT_OF_COINS');
  });
  const { passed, output } = gate();
  expect(passed).toBe(false);
  const told = output.split('\n').flatMap((line) => /^(\w.*'): /.exec(line)?.[1] ?? []);
  expect(told.sort()).toEqual([
    "answer of command 'auth'",
    "command 'room:leave'",
    "data of command 'chat:message'",
    "data of command 'gift:send'",
    "event 'asset:invalidate'",
    "event 'badge.earned'",
    "event 'config:invalidate'",
    "event 'gift:error'",
    "frame 'error'",
    "frame 'welcome'",
  ]);
  expect(output).toContain('0 breaks of the wire, 10 of the types');
});

test('a field number that changes its meaning breaks the wire', () => {
  changeProto('optional string coins = 2', 'optional int64 coins = 2');
  const { passed, output } = gate();
  expect(output).toMatch(/events\.proto:.*"coins"/);
  expect(passed).toBe(false);
});
