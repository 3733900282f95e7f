// A payload to begin with for each event, made from the contract's JSON Schemas: an event that the
// contract gains is in the panel without a line here. HINTS only make the values look like life.

const HINTS = {
  "BalanceUpdated.coins": "2500",
  "BalanceUpdated.diamonds": "120",
  "BalanceUpdated.wealth_xp": "5400",
  "BalanceUpdated.charm_xp": "3300",
  "RewardEarned.Reward.type": "coins",
  "RewardEarned.Reward.amount": "50",
  "RewardEarned.Reward.description": "Seven days in a row",
  "BadgeEarned.Badge.name": "Generous Heart",
  "BadgeEarned.Badge.image_url": "/badges/generous-heart.png",
  "BadgeEarned.Badge.category": "charm",
  "IncomeTargetCompleted.IncomeTarget.tier": 3,
  "IncomeTargetCompleted.IncomeTarget.reward_coins": "5000",
  "RoomLevelUp.new_level": 8,
  "RoomLevelUp.new_room_xp": "8200",
  "AgencyInvitation.Agency.name": "Starlight Agency",
  "AgencyInvitation.Agency.logo": null,
  "AgencyInvitation.Inviter.name": "Dana",
  "AgencyJoinRequest.Applicant.name": "Elif",
  "AgencyJoinRequest.Applicant.avatar": null,
  "AgencyJoinRequest.message": "I host every evening at nine",
  "AgencyMemberKicked.reason": "Inactive for 30 days",
  agency_name: "Starlight Agency",
  "ConfigInvalidate.type": "badges",
  version: "2026.07.1",
  asset_ids: ["gift/rose", "gift/car"],
  "GiftReceived.senderId": 42,
  "GiftReceived.giftId": 7,
  "GiftReceived.recipientIds": [43],
  "GiftReceived.recipientId": 43,
  "GiftReceived.quantity": 3,
  "GiftError.code": "INSUFFICIENT_BALANCE",
  "GiftError.reason": "It takes 300 coins",
  "ChatMessage.userId": 43,
  "ChatMessage.userName": "Ben",
  "ChatMessage.userAvatar": null,
  "ChatMessage.content": "Welcome to the room!",
  "ChatMessage.type": "text",
  userId: 45,
  "Participant.id": 45,
  "Participant.name": "Farid",
  "Participant.avatar": null,
  "SpeakerActive.userId": "42",
  "SpeakerActive.activeSpeakers": ["42"],
};
// Optional fields that would only be in the way.
const LEFT_OUT = new Set(["batchId", "userFrameId", "userChatBubbleId", "clientId"]);

let counter = Date.now() % 100_000;

/** The events that a server may emit, in the contract's order: the requirement's 13 come first. */
export function eventsOf(contract) {
  const { messages, schemas } = contract.components;
  return Object.values(messages)
    .filter((message) => message["x-emit-field"])
    .map((message) => ({
      name: message.name,
      field: message["x-emit-field"],
      description: message.description ?? message.summary ?? "",
      audience: message["x-audience"],
      kept: message["x-class"],
      names: message["x-target-from"], // the payload's field that says whom; undefined: a target does
      custom: Boolean(message["x-custom"]), // of the relay's settings, any payload
      schema: message.payload.$ref?.split("/").at(-1),
      schemas,
    }));
}

/** A valid payload. `room` and `user` are whom it speaks of. */
export function samplePayload(event, { user, room }) {
  counter += 1;
  if (event.custom)
    return {
      name: event.name.replace(/\*$/, "Example"),
      payload: { text: "Hello", number: counter },
    };
  return valueOf({ $ref: `/${event.schema}` }, event.schema, "", {
    user,
    room,
    schemas: event.schemas,
    n: counter,
  });
}

function valueOf(schema, path, key, context) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return valueOf(context.schemas[name], name, key, context);
  }
  const hint = [path, key].find((name) => name in HINTS);
  if (key === "user_id") return context.user;
  if (key === "room_id") return Number(context.room);
  if (key === "roomId") return context.room;
  if (hint) return structuredClone(HINTS[hint]);
  if (schema.anyOf) return valueOf(schema.anyOf[0], path, key, context);
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "object") {
    const wanted = Object.entries(schema.properties ?? {}).filter(([name]) => !LEFT_OUT.has(name));
    return Object.fromEntries(
      wanted.map(([name, part]) => [name, valueOf(part, `${path}.${name}`, name, context)]),
    );
  }
  if (type === "array") return [valueOf(schema.items, `${path}[]`, key, context)];
  if (schema["x-format"] === "timestamp-ms") return Date.now();
  if (type === "integer" || type === "number")
    return schema["x-format"] === "id" ? context.n : (schema.minimum ?? 0);
  if (schema["x-format"] === "decimal") return "1500";
  if (type === "boolean") return true;
  return `${key.replace(/Id$/, "")}-${context.n}`;
}

/** The whole request as EmitEvent takes it; `users` are whom a target names. */
export function requestFor(event, payload, users, room) {
  const request = {};
  if (event.audience.includes("user") && !event.names) {
    request.target = users.length === 1 ? { user_id: users[0] } : { user_ids: { ids: users } };
  } else if (event.custom) {
    request.target = event.audience.includes("room") ? { room_id: room } : { everyone: {} };
  }
  request[event.field] = payload;
  return request;
}

/** The same request to other users; null where its text can't be read. */
export function readdressed(text, event, users) {
  try {
    const request = JSON.parse(text);
    if (event.names) request[event.field][event.names] = users[0];
    else request.target = requestFor(event, null, users).target;
    return request;
  } catch {
    return null;
  }
}

/** A payload with much wrong about it: each field's value of another kind, and one field too few. */
export function brokenPayload(payload) {
  const broken = {};
  const [dropped] = Object.keys(payload).slice(-1);
  for (const [key, value] of Object.entries(payload)) {
    if (key === dropped && Object.keys(payload).length > 1) continue;
    if (typeof value === "number") broken[key] = 0;
    else if (typeof value === "string") broken[key] = "";
    else if (Array.isArray(value)) broken[key] = [];
    else if (value && typeof value === "object") broken[key] = brokenPayload(value);
    else broken[key] = value;
  }
  return broken;
}
