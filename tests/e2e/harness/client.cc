#include "tests/e2e/harness/client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace msab::e2e {
namespace {

WsClient::Options ToOptions(const RelayProcess& relay, const Hello& hello) {
  std::vector<std::string> query;
  WsClient::Options options;
  if (hello.speech == Speech::kSocketIo) {
    query = {"EIO=4", "transport=websocket"};
    options.target = "/socket.io/";
  } else {
    if (!hello.cursor.empty()) query.push_back("cursor=" + PercentEncoded(hello.cursor));
    if (!hello.rooms.empty()) query.push_back("rooms=" + absl::StrJoin(hello.rooms, ","));
    if (!hello.token.empty()) {
      options.headers.emplace_back("Authorization", "Bearer " + hello.token);
    }
  }
  if (!hello.query.empty()) query.push_back(hello.query);
  options.host = relay.host();
  options.port = relay.ws_port();
  if (!query.empty()) options.target += "?" + absl::StrJoin(query, "&");
  options.headers.insert(options.headers.end(), hello.headers.begin(), hello.headers.end());
  options.source = hello.source;
  options.receive_buffer = hello.receive_buffer;
  return options;
}

}  // namespace

std::string PercentEncoded(const std::string& text) {
  std::string encoded;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.') {
      encoded += static_cast<char>(c);
    } else {
      absl::StrAppend(&encoded, "%", absl::Hex(c, absl::kZeroPad2));
    }
  }
  return encoded;
}

uint64_t Sequence(const std::string& cursor) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(cursor.substr(cursor.find('-') + 1), &number)) return 0;
  return number;
}

Json EventFrame(const std::string& event, const std::string& data, const std::string& cursor,
                const std::string& room) {
  JsonObject frame{{"event", event}, {"data", ParseJson(data)}};
  if (!cursor.empty()) frame["cursor"] = cursor;
  if (!room.empty()) frame["room"] = room;
  return frame;
}

Client::Client(const RelayProcess& relay, const Hello& hello)
    : hello_(hello), socket_(std::make_unique<WsClient>(ToOptions(relay, hello))) {}

const Json& Client::Welcome() {
  if (welcome_.is_null()) {
    if (hello_.speech == Speech::kSocketIo) {
      Enter();
      return welcome_;
    }
    const Json frame = Read(kPatience);
    EXPECT_EQ(Text(frame, "event"), "welcome") << frame << " close code " << socket_->close_code();
    welcome_ = At(frame, "data");
  }
  return welcome_;
}

std::vector<Json> Client::Replay() {
  const int64_t missed = Number(Welcome(), "missed");
  std::vector<Json> frames =
      Until([](const Json& frame) { return Text(frame, "event") == "live"; });
  if (frames.empty()) return frames;
  EXPECT_FALSE(Text(frames.back(), "cursor").empty()) << frames.back();
  EXPECT_EQ(frames.back().as_object().size(), 2U) << frames.back();
  frames.pop_back();
  EXPECT_EQ(static_cast<int64_t>(frames.size()), missed);
  return frames;
}

void Client::Enter() {
  const Json open = Read(kPatience);
  EXPECT_EQ(Text(open, "event"), "open") << open << " close code " << socket_->close_code();
  JsonObject auth{{"token", hello_.token}};
  if (!hello_.resume_id.empty()) {
    auth["pid"] = hello_.resume_id;
    if (!hello_.cursor.empty()) auth["offset"] = hello_.cursor;
  } else if (!hello_.cursor.empty()) {
    auth["cursor"] = hello_.cursor;
  }
  Send("40" + boost::json::serialize(auth));
  const Json frame = Read(kPatience);
  EXPECT_EQ(Text(frame, "event"), "welcome") << frame << " close code " << socket_->close_code();
  welcome_ = At(frame, "data");
  if (welcome_.is_null()) return;
  const bool recovered =
      !hello_.resume_id.empty() && Text(welcome_, "resumeId") == hello_.resume_id;
  JsonObject& welcome = welcome_.as_object();
  welcome["recovered"] = recovered;
  welcome["userId"] = hello_.user;
  welcome["cursor"] = hello_.cursor;
  welcome["missed"] = 0;
  if (!recovered) {
    for (const std::string& room : hello_.rooms) {
      Ask("room:join", absl::StrCat(R"({"roomId":)", Quoted(room), "}"));
    }
  }
  waiting_.push_front(JsonObject{{"event", "live"}, {"cursor", "-"}});
}

// A packet in the native dialect's shape.
Json Client::FromSocketIo(std::string_view text) {
  const size_t json = std::min(text.find_first_of("[{"), text.size());
  const std::string_view type = text.substr(0, json);
  const Json payload = json < text.size() ? ParseJson(text.substr(json)) : Json(nullptr);
  if (type == "2") {
    Send("3");
    return JsonObject{{"event", "ping"}};
  }
  if (type == "0") return JsonObject{{"event", "open"}};
  if (type == "40") {
    return JsonObject{{"event", "welcome"},
                      {"data", JsonObject{{"connectionId", Text(payload, "sid")},
                                          {"resumeId", Text(payload, "pid")}}}};
  }
  if (type == "42") {
    const JsonArray& arguments = payload.as_array();
    JsonObject frame{{"event", arguments.at(0)}, {"data", arguments.at(1)}};
    if (arguments.size() > 2) frame["cursor"] = arguments.at(2);
    for (const char* key : {"roomId", "room_id"}) {
      if (Has(arguments.at(1), key)) frame["room"] = At(arguments.at(1), key);
    }
    return frame;
  }
  if (type.substr(0, 2) == "43") {
    int64_t id = 0;
    EXPECT_TRUE(absl::SimpleAtoi(absl::string_view(type.data() + 2, type.size() - 2), &id)) << text;
    JsonObject answer = payload.as_array().at(0).as_object();
    const bool ok = answer.at("success").as_bool();
    JsonObject reply{{"reply", id}, {"ok", ok}};
    if (ok) {
      answer.erase("success");
      reply["data"] = answer;
    } else {
      reply["error"] = JsonObject{{"code", answer.at("code")}, {"message", answer.at("error")}};
    }
    return reply;
  }
  return JsonObject{{"event", std::string(type)}, {"data", payload}};
}

Json Client::Read(Millis patience) {
  const std::optional<std::string> text = socket_->Receive(patience);
  if (!text.has_value()) return nullptr;
  return hello_.speech == Speech::kSocketIo ? FromSocketIo(*text) : ParseJson(*text);
}

Json Client::Next(Millis patience) {
  Welcome();
  if (!waiting_.empty()) {
    Json frame = std::move(waiting_.front());
    waiting_.pop_front();
    return frame;
  }
  const SteadyTime deadline = Deadline(patience);
  while (true) {
    Json frame = Read(Millis(MillisLeft(deadline)));
    if (Text(frame, "event") != "ping") return frame;
    ++app_pings_;
    last_ping_ = std::move(frame);
  }
}

Json Client::Expect(const std::string& event) {
  Json frame = Next();
  EXPECT_EQ(Text(frame, "event"), event)
      << frame << (socket_->closed() ? absl::StrCat(" closed ", socket_->close_code()) : "");
  return frame;
}

std::vector<Json> Client::Until(const std::function<bool(const Json&)>& last) {
  std::vector<Json> frames;
  do {
    frames.push_back(Next());
    if (frames.back().is_null()) {
      ADD_FAILURE() << "ended after " << frames.size() - 1 << " frames, closed "
                    << socket_->closed() << " " << socket_->close_code();
      frames.pop_back();
      break;
    }
  } while (!last(frames.back()));
  return frames;
}

Json Client::Command(const std::string& event, const std::string& data) {
  Welcome();
  const int64_t id = next_id_++;
  EXPECT_TRUE(Send(hello_.speech == Speech::kSocketIo
                       ? absl::StrCat("42", id, "[", Quoted(event), ",", data, "]")
                       : absl::StrCat(R"({"id":)", id, R"(,"event":)", Quoted(event), R"(,"data":)",
                                      data, "}")));
  std::deque<Json> before;
  before.swap(waiting_);
  std::vector<Json> frames = Until(
      [id](const Json& frame) { return Has(frame, "reply") && Number(frame, "reply") == id; });
  if (frames.empty()) return nullptr;
  Json reply = std::move(frames.back());
  frames.pop_back();
  waiting_.swap(before);
  for (Json& frame : frames) waiting_.push_back(std::move(frame));
  return reply;
}

Json Client::Ask(const std::string& event, const std::string& data) {
  const Json reply = Command(event, data);
  EXPECT_EQ(At(reply, "ok"), Json(true)) << event << " " << data << ": " << reply;
  return At(reply, "data");
}

std::string Client::Refused(const std::string& event, const std::string& data) {
  const Json reply = Command(event, data);
  EXPECT_EQ(At(reply, "ok"), Json(false)) << event << " " << data << ": " << reply;
  EXPECT_FALSE(Text(At(reply, "error"), "message").empty()) << reply;
  return Text(At(reply, "error"), "code");
}

int Client::CloseCode(Millis patience) {
  const SteadyTime deadline = Deadline(patience);
  while (!socket_->closed() && MillisLeft(deadline) > 0) {
    socket_->Receive(Millis(MillisLeft(deadline)));
  }
  return socket_->closed() ? socket_->close_code() : -1;
}

}  // namespace msab::e2e
