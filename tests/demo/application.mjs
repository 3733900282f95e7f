// The application, as far as the relay asks it: a webhook that decides on gifts, like Laravel's (Standard
// Webhooks). What isn't signed by the relay gets nothing.
import assert from "node:assert/strict";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const TOLERANCE = 300; // seconds that a request may be off

/** Starts it; a gift of more than `most` is rejected. */
export async function startApplication(most) {
  const key = randomBytes(32);
  const charged = new Map(); // by user and transaction → the answer: a repeat charges nothing
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    if (!isSigned(request.headers, body, key)) return response.writeHead(401).end();
    const results = JSON.parse(body).commands.map((command) => decide(command));
    response.setHeader("content-type", "application/json").end(JSON.stringify({ results }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  function decide({ id, type, user, data }) {
    assert.equal(type, "gift:send");
    const { transactionId, recipientIds, quantity } = data;
    if (quantity > most) {
      const reason = `It takes ${quantity} coins, and there are ${most}`;
      return { id, status: "rejected", code: "INSUFFICIENT_BALANCE", reason };
    }
    const bought = `${user.id}/${transactionId}`;
    if (!charged.has(bought)) charged.set(bought, { acceptedRecipientIds: recipientIds });
    return { id, status: "accepted", data: charged.get(bought) };
  }

  return {
    /** The relay's settings that make it ask here. */
    settings: {
      MSAB_LARAVEL_WEBHOOK_URL: `http://127.0.0.1:${server.address().port}/msab/webhook`,
      MSAB_LARAVEL_WEBHOOK_SECRETS: `whsec_${key.toString("base64")}`,
    },
    charged,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function isSigned(headers, body, key) {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures } = headers;
  if (!id || !(Math.abs(Date.now() / 1000 - Number(at)) <= TOLERANCE)) return false;
  const expected = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest();
  return String(signatures)
    .split(" ")
    .filter((signature) => signature.startsWith("v1,"))
    .map((signature) => Buffer.from(signature.slice(3), "base64"))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}
