// Who gets the demo page and its tokens from the real binary: nobody without development mode, and
// with it only this machine.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { request } from "node:http";
import { test } from "node:test";
import { promisify } from "node:util";
import { HOST, PAGE, startRelay } from "./harness.mjs";

const PATHS = ["/", "/demo", "/demo/", "/demo/main.js", "/demo/setup", "/demo/token?user=42"];

test("without development mode there is nothing", async () => {
  const relay = await startRelay({ MSAB_DEV_ENABLED: "false" });
  for (const path of PATHS) assert.equal((await fetch(PAGE + path)).status, 404, path);
  await relay.stop();
});

test("another name for this machine is refused: DNS rebinding", async () => {
  const relay = await startRelay();
  const statusFor = (path, host) =>
    new Promise((resolve, reject) => {
      request(PAGE + path, { headers: { host } }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on("error", reject)
        .end();
    });
  for (const path of PATHS) {
    assert.equal(await statusFor(path, "attacker.example:9090"), 403, path);
    assert.ok((await statusFor(path, `${HOST}:9090`)) < 400, path);
  }
  await relay.stop();
});

test("the page emits under a key of its own: the configured ones stay at home", async () => {
  const relay = await startRelay({ MSAB_API_KEYS: "laravel:a-secret-key:emit+admin" });
  const setup = await (await fetch(`${PAGE}/demo/setup`)).text();
  assert.ok(!setup.includes("a-secret-key"));
  const { emit_key: key } = JSON.parse(setup);
  assert.ok(key.length >= 30);
  const headers = { authorization: `Bearer ${key}` };
  const emitted = await fetch(`${PAGE}/v1/events:emit`, {
    method: "POST",
    headers,
    body: '{"config_invalidate":{"type":"all"}}',
  });
  assert.equal(emitted.status, 200);
  assert.equal((await fetch(`${PAGE}/v1/cursor`)).status, 401);
  await relay.stop();
  const again = await startRelay();
  assert.equal(
    (await fetch(`${PAGE}/v1/cursor`, { headers })).status,
    401,
    "a key lives as long as its process",
  );
  await again.stop();
});

test("beyond loopback it doesn't start", async () => {
  const env = {
    PATH: process.env.PATH,
    MSAB_DEV_ENABLED: "true",
    MSAB_HTTP_LISTEN: "0.0.0.0:0",
    MSAB_API_KEYS: "laravel:key",
    MSAB_JWT_SECRETS: "0123456789abcdef0123456789abcdef",
  };
  await assert.rejects(promisify(execFile)(process.env.MSAB_RELAY, [], { env }), (failure) => {
    assert.equal(failure.code, 78);
    assert.match(failure.stderr, /MSAB_DEV_ENABLED: needs http.listen on this machine alone/);
    return true;
  });
});
