// The relay's answer to an emit, as one reads it.

import { h } from "./dom.js";

// google.rpc.Code: those that an emit is refused with.
const CODES = {
  3: "INVALID_ARGUMENT",
  6: "ALREADY_EXISTS",
  7: "PERMISSION_DENIED",
  8: "RESOURCE_EXHAUSTED",
  14: "UNAVAILABLE",
  16: "UNAUTHENTICATED",
};

export class Answer {
  root = h("div.answer", { role: "status", aria: { label: "The relay's answer" } });

  /** An EmitEventResponse, `ms` after the request; `kept`: the event has a place in the log. */
  accepted(response, ms, kept) {
    const { users_targeted: targeted, users_online: online, connections } = response.recipients;
    const flags = ["duplicate", "superseded", "expired"].filter((flag) => response[flag]);
    const reach = online === 0 ? "Nobody was online" : `${online} of ${targeted} online`;
    this.say(
      "accepted",
      h(
        "p.verdict",
        {},
        h("b", {}, reach),
        ` on ${plural(connections, "connection")}`,
        ...flags.map((flag) => h("span.flag", {}, flag)),
      ),
      h(
        "dl",
        {},
        ...pair("cursor", kept ? response.cursor : `${response.cursor}, unmoved: not kept`),
        ...pair("event id", response.event_id),
        ...pair("answered in", `${ms.toFixed(1)} ms`),
      ),
      online === 0 && kept && flags.length === 0 && h("p.aside", {}, NOBODY),
    );
  }

  /** A google.rpc.Status. */
  refused(httpStatus, { code, message, details = [] }) {
    const violations = details.flatMap(({ field_violations: fields = [] }) => fields);
    const found = violations.length > 0 ? `, ${plural(violations.length, "violation")}` : "";
    const lines = violations.map(({ field, description }) =>
      h("li", {}, h("code", {}, field), " ", description),
    );
    this.say(
      "refused",
      h(
        "p.verdict",
        {},
        h("b", {}, `Refused: ${CODES[code] ?? code}`),
        ` HTTP ${httpStatus}${found}`,
      ),
      lines.length > 0 ? h("ul.violations", {}, ...lines) : h("p", {}, message),
    );
  }

  /** `kind`: "accepted", "refused", or anything else for a plain remark. */
  say(kind, ...content) {
    this.root.dataset.kind = kind;
    this.root.replaceChildren(...content.filter(Boolean));
  }
}

const NOBODY =
  "A success all the same: the event is kept for who comes back, and Laravel knows that a push " +
  "notification is due.";

const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const pair = (term, text) => [h("dt", {}, term), h("dd", {}, h("code", {}, text))];
