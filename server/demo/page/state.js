// What an app knows of its user, and how each event changes it. Events say how things *are*, or
// carry an id: applying one twice changes nothing, so it doesn't matter whether a snapshot has seen
// what is replayed after it.

/** A decimal string, as the contract has them, for people: "1234567.5" → "1,234,567.5". */
export function readable(decimal) {
  const [whole, fraction] = String(decimal).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction ? `${grouped}.${fraction}` : grouped;
}

export const WALLET = ["coins", "diamonds", "wealth_xp", "charm_xp"];

export function initialState(id) {
  return {
    wallet: {
      coins: `${id * 30}`,
      diamonds: `${id * 2}`,
      wealth_xp: `${id * 110}`,
      charm_xp: `${id * 70}`,
    },
    badges: [],
    inbox: [],
    room: { level: 7, xp: "6400" },
  };
}

// What an event has to say to its user: what for (the key makes a repeat visible), icon and text.
const NOTICES = {
  "reward.earned": ({ reward }) => [
    reward.id,
    "gift",
    `Reward: ${reward.amount} ${reward.type}`,
    reward.description,
  ],
  "badge.earned": ({ badge }) => [
    badge.id,
    "medal",
    `Badge: ${badge.name}`,
    `Category ${badge.category}`,
  ],
  "income_target.completed": ({ target }) => [
    target.id,
    "target",
    `Income target of tier ${target.tier} reached`,
    `${readable(target.reward_coins)} coins`,
  ],
  "agency.invitation": ({ invitation_id, agency, invited_by }) => [
    invitation_id,
    "mail",
    `${agency.name} invites you`,
    `Asked by ${invited_by.name}`,
  ],
  "agency.join_request": ({ request_id, user, message }) => [
    request_id,
    "people",
    `${user.name} wants to join your agency`,
    message,
  ],
  "agency.join_request_approved": ({ agency_id, agency_name }) => [
    agency_id,
    "people",
    `Welcome to ${agency_name}`,
    "Your request was approved",
  ],
  "agency.join_request_rejected": ({ agency_id, agency_name }) => [
    agency_id,
    "people",
    `${agency_name} said no`,
    "Your request was rejected",
  ],
  "agency.member_kicked": ({ agency_id, agency_name, reason }) => [
    agency_id,
    "people",
    `Removed from ${agency_name}`,
    reason,
  ],
  "agency.dissolved": ({ agency_id, agency_name }) => [
    agency_id,
    "people",
    `${agency_name} was dissolved`,
    "Its members are free to join another",
  ],
  "gift:error": ({ transactionId, code, reason }) => [
    transactionId,
    "alert",
    `Gift not given: ${code}`,
    reason,
  ],
};
// Notices that are told, and not kept: there is nothing to come back to.
const PASSING = {
  "config:invalidate": ({ type, version }) => [
    version,
    "refresh",
    `Cached ${type === "all" ? "configuration" : type} dropped`,
    version && `Now valid: ${version}`,
  ],
  "asset:invalidate": ({ asset_ids }) => [
    undefined,
    "refresh",
    `${asset_ids.length} cached asset${asset_ids.length === 1 ? "" : "s"} dropped`,
    asset_ids.join(", "),
  ],
};

// Events that show by themselves, in the wallet or in the room.
const SHOWN = new Set([
  "balance.updated",
  "room.level_up",
  "gift:received",
  "chat:message",
  "room:userJoined",
  "room:userLeft",
  "speaker:active",
]);
// What this page knows nothing of: an event of the relay's settings.
const other = (event) => (data) => [JSON.stringify(data), "mail", event, JSON.stringify(data)];

/** What to tell the user, or null: { event, key, icon, title, text, kept }. */
export function noticeOf(event, data) {
  if (SHOWN.has(event)) return null;
  const kept = NOTICES[event];
  const make = kept ?? PASSING[event] ?? other(event);
  const [key, icon, title, text] = make(data);
  return { event, key: `${event}/${key}`, icon, title, text, kept: Boolean(kept) };
}

/** Applies an event that reached this state's user. */
export function apply(state, event, data) {
  if (event === "balance.updated") {
    for (const field of WALLET) if (data[field] !== undefined) state.wallet[field] = data[field];
  } else if (event === "room.level_up") {
    state.room = { level: data.new_level, xp: data.new_room_xp };
  } else if (event === "badge.earned") {
    state.badges = [...state.badges.filter(({ id }) => id !== data.badge.id), data.badge];
  }
  const notice = noticeOf(event, data);
  if (notice?.kept) {
    state.inbox = [notice, ...state.inbox.filter(({ key }) => key !== notice.key)].slice(0, 30);
  }
}
