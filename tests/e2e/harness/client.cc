#include "tests/e2e/harness/client.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace msab::e2e {
namespace {

WsClient::Options ToOptions(const RelayProcess& relay, const Hello& hello) {
  std::vector<std::string> query;
  if (!hello.cursor.empty()) query.push_back("cursor=" + PercentEncoded(hello.cursor));
  if (!hello.rooms.empty()) query.push_back("rooms=" + absl::StrJoin(hello.rooms, ","));
  if (!hello.query.empty()) query.push_back(hello.query);
  WsClient::Options options;
  options.host = relay.host();
  options.port = relay.ws_port();
  if (!query.empty()) options.target += "?" + absl::StrJoin(query, "&");
  options.headers = hello.headers;
  if (!hello.token.empty()) options.headers.emplace_back("Authorization", "Bearer " + hello.token);
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
    : socket_(std::make_unique<WsClient>(ToOptions(relay, hello))) {}

const Json& Client::Welcome() {
  if (welcome_.is_null()) {
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

Json Client::Read(Millis patience) {
  const std::optional<std::string> text = socket_->Receive(patience);
  return text.has_value() ? ParseJson(*text) : Json(nullptr);
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
  EXPECT_TRUE(
      Send(absl::StrCat(R"({"id":)", id, R"(,"event":)", Quoted(event), R"(,"data":)", data, "}")));
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
