#include "server/protocol/native_dialect.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "server/contract/json_parse.h"
#include "server/protocol/text.h"

namespace msab {
namespace {

ClientMessage Malformed(std::string_view fault) {
  ClientMessage message;
  message.fault = fault;
  return message;
}

}  // namespace

const Conduct& NativeDialect::conduct() const {
  static constexpr Conduct kConduct{};
  return kConduct;
}

FramePtr NativeDialect::Event(const EntryPtr& entry, std::string_view epoch) const {
  std::string escaped;
  const std::string_view name = EscapedName(entry->name, escaped);

  const bool in_room = !entry->target.room.empty();
  const bool numbered = entry->sequence != 0;
  const bool dated = entry->occurred_at_given;
  const Digits sequence(entry->sequence);
  const Digits occurred_at(entry->occurred_at);
  return Frame::Event({R"({"event":")", name, R"(","data":)", entry->payload,
                       in_room ? R"(,"room":")" : "", entry->target.room, in_room ? "\"" : "",
                       numbered ? R"(,"cursor":")" : "", numbered ? epoch : "", numbered ? "-" : "",
                       numbered ? sequence.view() : "", numbered ? "\"" : "",
                       dated ? R"(,"occurredAt":)" : "", dated ? occurred_at.view() : "", "}"},
                      entry);
}

FramePtr NativeDialect::Open(const Greeting& /*greeting*/) const { return {}; }

Dialect::Frames NativeDialect::Hello(const Welcome& welcome) const {
  boost::json::object data;
  data["connectionId"] = welcome.connection_id;
  data["userId"] = welcome.user;
  data["cursor"] = welcome.cursor.ToString();
  switch (welcome.recovered) {
    case Welcome::Recovered::kNoCursor:
      data["recovered"] = nullptr;
      break;
    case Welcome::Recovered::kYes:
      data["recovered"] = true;
      break;
    case Welcome::Recovered::kGapEpoch:
      data["recovered"] = false;
      data["gap"] = "epoch";
      break;
    case Welcome::Recovered::kGapExpired:
      data["recovered"] = false;
      data["gap"] = "expired";
      break;
  }
  data["missed"] = welcome.missed;
  boost::json::array rooms;
  for (const std::string& room : welcome.rooms) rooms.emplace_back(room);
  data["rooms"] = std::move(rooms);
  data["pingInterval"] = welcome.ping_interval;
  data["tokenExpiresAt"] = welcome.token_expires_at;
  return {Frame::Text({R"({"event":"welcome","data":)", boost::json::serialize(data), "}"})};
}

FramePtr NativeDialect::Refuse(ConnectRefusal /*why*/) const { return {}; }

FramePtr NativeDialect::Live(const Cursor& cursor) const {
  return Frame::Text({R"({"event":"live","cursor":")", cursor.ToString(), R"("})"});
}

FramePtr NativeDialect::Heartbeat() const { return Frame::Ping(); }

FramePtr NativeDialect::Ping(const Cursor& cursor) const {
  return Frame::Text({R"({"event":"ping","cursor":")", cursor.ToString(), R"("})"});
}

FramePtr NativeDialect::Reply(int64_t id, const CommandResult& result) const {
  const Digits number(id);
  if (const auto* data = std::get_if<std::string>(&result)) {
    return Frame::Text({R"({"reply":)", number.view(), R"(,"ok":true,"data":)", *data, "}"});
  }
  const auto& error = std::get<CommandError>(result);
  const std::string retry_after =
      error.retry_after_ms > 0 ? absl::StrCat(R"(,"retryAfter":)", error.retry_after_ms) : "";
  const bool detailed = !error.details_json.empty();
  return Frame::Text({R"({"reply":)", number.view(), R"(,"ok":false,"error":{"code":")", error.code,
                      R"(","message":)", QuotedJson(error.message), retry_after,
                      detailed ? R"(,"details":)" : "", error.details_json, "}}"});
}

Dialect::Frames NativeDialect::Farewell(uint16_t /*code*/, std::string_view /*reason*/) const {
  return {};
}

ClientMessage NativeDialect::Decode(std::string_view text) const {
  boost::system::error_code error;
  boost::json::value parsed = ParseJson(text, error);
  if (error) return Malformed("not JSON");
  boost::json::object* object = parsed.if_object();
  if (object == nullptr) return Malformed("not an object");

  ClientMessage message;
  const boost::json::value* event = object->if_contains("event");
  if (event == nullptr || !event->is_string()) return Malformed("no string `event`");
  if (const boost::json::value* id = object->if_contains("id")) {
    // is_int64 holds for what fits; larger ones are uint64 or double, and no id of ours.
    if (!id->is_int64()) return Malformed("`id` is no integer");
    message.id = id->get_int64();
  }
  message.kind = ClientMessage::Kind::kCommand;
  message.event = std::string(event->get_string());
  if (boost::json::value* data = object->if_contains("data")) message.data = std::move(*data);
  return message;
}

}  // namespace msab
