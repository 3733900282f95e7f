// The operator's way: a gRPC client that knows nothing but the address, a key and reflection
// lists, describes and emits. Run by ctest: MSAB_RELAY names the binary.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { setTimeout as delay } from "node:timers/promises";

const KEY = "operator-key-0123456789abcdef";
// A loopback address of this process alone, so that tests may run side by side.
const HOST = `127.${129 + (process.pid >> 16) % 100}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
const GRPC = `http://${HOST}:50051`;
const EMIT = "msab.v1.EventService/EmitEvent";

let relay;
let log = "";

before(async () => {
  relay = spawn(process.env.MSAB_RELAY, [], {
    env: {
      PATH: process.env.PATH,
      MSAB_SHARDS: "1",
      MSAB_WS_LISTEN: `${HOST}:8080`,
      MSAB_GRPC_LISTEN: `${HOST}:50051`,
      MSAB_HTTP_LISTEN: `${HOST}:9090`,
      MSAB_API_KEYS: `operator:${KEY}`,
      MSAB_JWT_SECRETS: "operator-secret-0123456789abcdef0123456789",
    },
  });
  relay.stderr.on("data", (text) => (log += text));
  const ready = async () => {
    try {
      return (await fetch(`http://${HOST}:9090/readyz`)).ok;
    } catch {
      return false;
    }
  };
  while (!(await ready())) {
    assert.equal(relay.exitCode, null, `the relay ended:\n${log}`);
    await delay(20);
  }
});

after(async () => {
  const ended = new Promise((resolve) => relay.on("exit", resolve));
  relay.kill("SIGTERM");
  assert.equal(await ended, 0, log);
});

// `buf curl` with what a person would type; { code, stdout, stderr }.
async function curl(...args) {
  const all = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", ...args];
  try {
    return { code: 0, ...(await promisify(execFile)("node_modules/.bin/buf", all)) };
  } catch (error) {
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

const emit = (request, key = KEY) =>
  curl("-H", `authorization: Bearer ${key}`, "-d", JSON.stringify(request), `${GRPC}/${EMIT}`);

test("lists the services", async () => {
  const { stdout } = await curl("--list-services", GRPC);
  for (const service of ["msab.v1.EventService", "grpc.health.v1.Health"]) {
    assert.ok(stdout.split("\n").includes(service), stdout);
  }
});

test("lists the methods", async () => {
  const { stdout } = await curl("--list-methods", GRPC);
  for (const method of ["EmitEvent", "EmitEvents", "EmitEventStream", "GetCursor"]) {
    assert.ok(stdout.split("\n").includes(`msab.v1.EventService/${method}`), stdout);
  }
});

test("describes the events down to their rules", async () => {
  const { code, stdout, stderr } = await curl(
    "-d", '{"file_containing_symbol":"msab.v1.BadgeEarned"}',
    `${GRPC}/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo`,
  );
  assert.equal(code, 0, stderr);
  const files = JSON.parse(stdout).fileDescriptorResponse.fileDescriptorProto;
  const text = files.map((file) => Buffer.from(file, "base64").toString("latin1")).join();
  for (const word of ["BadgeEarned", "badge.earned", "image_url", "wealth"]) {
    assert.ok(text.includes(word), word);
  }
});

test("reads the cursor and the health", async () => {
  const cursor = await curl("-H", `authorization: Bearer ${KEY}`, "-d", "{}",
    `${GRPC}/msab.v1.EventService/GetCursor`);
  assert.match(JSON.parse(cursor.stdout).cursor, /^[0-9a-z]{1,16}-[0-9]+$/);
  const health = await curl("-d", "{}", `${GRPC}/grpc.health.v1.Health/Check`);
  assert.equal(JSON.parse(health.stdout).status, "SERVING");
});

const named = { agency_id: 6, agency_name: "Stars" };
const to = { target: { user_id: 42 } };
const EVENTS = {
  balance_updated: { balance_updated: { user_id: 42, coins: "1500" } },
  reward_earned: {
    reward_earned: {
      user_id: 42,
      reward: { id: 1, type: "coins", amount: "50", description: "Daily reward" },
    },
  },
  badge_earned: {
    badge_earned: {
      user_id: 42,
      badge: { id: 2, name: "Host", image_url: "b.png", category: "special" },
    },
  },
  income_target_completed: {
    income_target_completed: { user_id: 42, target: { id: 3, tier: 1, reward_coins: "10" } },
  },
  room_level_up: { room_level_up: { room_id: 7, new_level: 4, new_room_xp: "900" } },
  agency_invitation: {
    ...to,
    agency_invitation: {
      invitation_id: 5,
      agency: { id: 6, name: "Stars" },
      invited_by: { id: 8, name: "Ann" },
    },
  },
  agency_join_request: {
    ...to,
    agency_join_request: { request_id: 9, user: { id: 10, name: "Bo" }, message: "Hi" },
  },
  agency_join_request_approved: { ...to, agency_join_request_approved: named },
  agency_join_request_rejected: { ...to, agency_join_request_rejected: named },
  agency_member_kicked: { ...to, agency_member_kicked: { ...named, reason: "inactive" } },
  agency_dissolved: { target: { user_ids: { ids: [42, 43] } }, agency_dissolved: named },
  config_invalidate: { config_invalidate: { type: "levels", version: "7" } },
  asset_invalidate: { asset_invalidate: { asset_ids: ["gift/1"] } },
};

for (const [event, request] of Object.entries(EVENTS)) {
  test(`emits ${event} by hand`, async () => {
    const { code, stdout, stderr } = await emit(request);
    assert.equal(code, 0, stderr);
    const answer = JSON.parse(stdout);
    assert.ok(answer.eventId);
    assert.match(answer.cursor, /-[0-9]+$/);
  });
}

test("a bad key is told so", async () => {
  for (const key of ["wrong", ""]) {
    const { code, stderr } = await emit(EVENTS.balance_updated, key);
    assert.notEqual(code, 0);
    assert.equal(JSON.parse(stderr).code, "unauthenticated", stderr);
  }
});

test("a bad payload shows every violated field", async () => {
  const { code, stderr } = await emit({
    badge_earned: { badge: { id: -1, name: "", category: "gold" } },
  });
  assert.notEqual(code, 0);
  const error = JSON.parse(stderr);
  assert.equal(error.code, "invalid_argument");
  const fields = ["badge.category", "badge.id", "badge.image_url", "badge.name", "user_id"];
  for (const field of fields) assert.ok(error.message.includes(field), error.message);
  // The details, too: base64 of google.rpc.BadRequest, which names the fields in plain text.
  const details = error.details.map((detail) => Buffer.from(detail.value, "base64").toString());
  for (const field of fields) assert.ok(details.some((text) => text.includes(field)), field);
});
