#include "tests/unit/shard/harness.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "server/contract/cursor.h"
#include "tests/support/token_maker.h"

namespace msab::test {
namespace {

const std::string& Secret() {
  static const std::string secret(32, 's');
  return secret;
}

// Generous, for a machine that is busy: a test that passes never waits.
constexpr std::chrono::seconds kPatience{20};

boost::json::object Parsed(std::string_view frame) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse({frame.data(), frame.size()}, error);
  return !error && value.is_object() ? std::move(value.get_object()) : boost::json::object();
}

}  // namespace

HouseOptions::HouseOptions() {
  shard.session.client_messages = {1e9, 1e9};
  dispatcher.max_per_user = 0;
}

TestHouse::TestHouse(HouseOptions options, CommandHandler* commands)
    : catalog_(*Catalog::Create({})),
      door_(options.door),
      limits_(options.limits),
      log_(options.log, clock_),
      resumes_(options.resumes, clock_),
      dispatcher_(*catalog_, clock_, log_, options.dispatcher) {
  TokenVerifier::Options tokens;
  tokens.secrets = {Secret()};
  tokens.profile_claims = {"name", "avatar"};
  tokens_ = *TokenVerifier::Create(tokens);
  Commands::Options command_options;
  command_options.chat.per_minute = 1'000'000;
  commands_ = std::make_unique<LonelyCommands>(*catalog_, clock_, dispatcher_, command_options);

  Shard::House house;
  house.clock = &clock_;
  house.dispatcher = &dispatcher_;
  house.log = &log_;
  house.resumes = &resumes_;
  house.shards = &shards_;
  house.commands = commands != nullptr ? commands : &**commands_;
  house.tokens = tokens_.get();
  house.door = &door_;
  house.limits = &limits_;
  house.dialects[static_cast<size_t>(DialectId::kNative)] = &native_;
  house.dialects[static_cast<size_t>(DialectId::kSocketIo)] = &socketio_;
  for (int i = 0; i < options.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(i, house, options.shard));
    dispatcher_.AddShard(&shard(i).inbox());
    const absl::Status listening = shard(i).Listen({"127.0.0.1", 0});
    EXPECT_TRUE(listening.ok()) << listening;
  }
}

TestHouse::~TestHouse() = default;

Dispatched TestHouse::Emit(std::shared_ptr<Entry> entry) {
  Dispatched dispatched;
  dispatcher_.Dispatch(std::move(entry), [&dispatched](absl::StatusOr<Dispatched> result) {
    ASSERT_TRUE(result.ok()) << result.status();
    dispatched = *result;
  });
  return dispatched;
}

bool TestHouse::Turn() {
  bool ran = false;
  for (const auto& shard : shards_) ran = shard->Turn() || ran;
  return ran;
}

void TestHouse::Until(const std::function<bool()>& done, std::string_view what) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (Turn()) continue;
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "waited in vain for " << what;
      return;
    }
    sched_yield();
  }
}

void TestHouse::Settle() {
  for (int quiet = 0; quiet < 3;) quiet = Turn() ? 0 : quiet + 1;
}

void TestHouse::Pass(int64_t millis, int64_t step) {
  while (millis > 0) {
    clock_.Advance(std::min(step, millis));
    millis -= step;
    Settle();
  }
}

std::string TestHouse::Token(UserId user, int64_t lifetime) {
  return HmacToken(Secret(),
                   absl::StrCat(R"({"sub":")", user, R"(","name":"u)", user, R"(","exp":)",
                                (clock_.WallMillis() + lifetime) / 1000, "}"));
}

Client::Client(TestHouse& house, const Login& login, int shard, int receive_buffer)
    : house_(house), wire_(house.shard(shard).port(), receive_buffer) {
  EXPECT_TRUE(wire_.connected());
  std::string target = "/ws?";
  if (!login.cursor.empty()) absl::StrAppend(&target, "cursor=", login.cursor, "&");
  if (!login.rooms.empty()) absl::StrAppend(&target, "rooms=", login.rooms);
  std::string request =
      absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\n",
                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", login.headers);
  if (!login.bare) {
    absl::StrAppend(&request, "Authorization: Bearer ",
                    login.token.empty() ? house.Token(login.user, login.lifetime) : login.token,
                    "\r\n");
  }
  wire_.Send(request + "\r\n");
  house_.Until(
      [this] {
        wire_.Pump();
        return !wire_.head().empty() || wire_.ended();
      },
      "the answer to an upgrade");
}

std::unique_ptr<Client> Client::Live(TestHouse& house, const Login& login, int shard,
                                     int receive_buffer) {
  auto client = std::make_unique<Client>(house, login, shard, receive_buffer);
  client->welcome_ = client->Next();
  EXPECT_EQ(StringIn(client->welcome_, "event"), "welcome");
  EXPECT_EQ(StringIn(client->Next(), "event"), "live");
  return client;
}

std::optional<std::string> Client::TakeText() {
  wire_.Pump();
  EXPECT_FALSE(wire_.faulty());
  std::deque<WsClient::Frame>& frames = wire_.frames();
  while (!frames.empty() && (frames.front().first & 0x0f) != WsClient::kText) {
    if ((frames.front().first & 0x0f) == WsClient::kClose) return std::nullopt;
    frames.pop_front();
  }
  if (frames.empty()) return std::nullopt;
  std::string text = std::move(frames.front().payload);
  frames.pop_front();
  return text;
}

std::string Client::Next() {
  std::optional<std::string> text = TakeText();
  if (!text) {
    house_.Until(
        [&] { return (text = TakeText()).has_value() || !wire_.frames().empty() || wire_.ended(); },
        "a text frame");
  }
  EXPECT_TRUE(text.has_value()) << "the connection ended instead";
  return text.value_or("");
}

std::vector<std::string> Client::Texts() {
  house_.Settle();  // the answer must not overtake what waits in the inbox
  const int64_t id = ++last_id_;
  EXPECT_TRUE(wire_.SendText(absl::StrCat(R"({"id":)", id, R"(,"event":"ping"})")));
  const std::string answer = absl::StrCat(R"({"reply":)", id, R"(,"ok":true,"data":{}})");
  std::vector<std::string> texts;
  while (true) {
    std::string text = Next();
    if (text == answer || text.empty()) return texts;
    texts.push_back(std::move(text));
  }
}

std::string Client::Ask(const std::string& event, const std::string& data) {
  const int64_t id = ++last_id_;
  EXPECT_TRUE(wire_.SendText(
      absl::StrCat(R"({"id":)", id, R"(,"event":")", event, R"(","data":)", data, "}")));
  const std::string start = absl::StrCat(R"({"reply":)", id, ",");
  std::vector<std::string> before;
  std::string text = Next();
  while (!text.empty() && text.compare(0, start.size(), start) != 0) {
    before.push_back(std::move(text));
    text = Next();
  }
  while (!before.empty()) {
    wire_.frames().push_front({0x81, std::move(before.back())});
    before.pop_back();
  }
  return text;
}

uint16_t Client::Closed() {
  const auto close_frame = [this] {
    wire_.Pump();
    return !wire_.frames().empty() && (wire_.frames().back().first & 0x0f) == WsClient::kClose;
  };
  house_.Until([&] { return close_frame() || wire_.ended(); }, "a close frame");
  if (!close_frame()) {
    ADD_FAILURE() << "the connection ended without a close frame";
    return 0;
  }
  const std::string payload = wire_.frames().back().payload;
  EXPECT_TRUE(wire_.rest().empty()) << "bytes after the close frame";
  if (!wire_.ended()) {
    wire_.SendFrame(WsClient::kClose, payload.substr(0, 2));
    house_.Until([this] { return wire_.Pump() && wire_.ended(); }, "the end after a close frame");
    EXPECT_FALSE(wire_.reset());
  }
  if (payload.size() < 2) return 1005;
  close_reason_ = payload.substr(2);
  return static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 |
                               static_cast<uint8_t>(payload[1]));
}

std::string Client::connection_id() const {
  const boost::json::object frame = Parsed(welcome_);
  return std::string(frame.at("data").as_object().at("connectionId").as_string());
}

std::string StringIn(std::string_view frame, std::string_view key) {
  const boost::json::object object = Parsed(frame);
  const boost::json::value* value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

uint64_t NumberOf(std::string_view frame) {
  const std::optional<Cursor> cursor = Cursor::Parse(StringIn(frame, "cursor"));
  return cursor ? cursor->sequence : 0;
}

std::vector<uint64_t> NumbersOf(const std::vector<std::string>& frames) {
  std::vector<uint64_t> numbers;
  numbers.reserve(frames.size());
  for (const std::string& frame : frames) numbers.push_back(NumberOf(frame));
  return numbers;
}

}  // namespace msab::test
