#ifndef MSAB_TESTS_UNIT_SESSION_SESSION_FIXTURE_H_
#define MSAB_TESTS_UNIT_SESSION_SESSION_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/memory_log.h"
#include "server/log/memory_resume_store.h"
#include "server/protocol/native_dialect.h"
#include "server/session/session.h"
#include "server/shard/timer_wheel.h"
#include "tests/support/entries.h"
#include "tests/support/token_maker.h"

namespace msab::test {

inline constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";

// Answers commands with their own name, rooms as the test says.
class EchoCommands final : public CommandHandler {
 public:
  void Handle(const std::shared_ptr<Caller>& caller, std::string_view event,
              const boost::json::value&, CommandReply reply) override {
    last_caller = caller;
    last_reply = std::move(reply);
    if (answer_at_once) last_reply(absl::StrCat("{\"did\":\"", std::string(event), "\"}"));
  }
  void AuthorizeRooms(UserId, const std::string&, std::vector<std::string> rooms,
                      absl::AnyInvocable<void(AuthorizedRooms)> done) override {
    asked = rooms;
    if (authorise_at_once) {
      std::erase(rooms, "forbidden");
      done({Allowed(rooms)});
    } else {
      waiting = std::move(done);
    }
  }

  bool answer_at_once = true;
  bool authorise_at_once = true;
  std::shared_ptr<Caller> last_caller;
  CommandReply last_reply;
  std::vector<std::string> asked;
  absl::AnyInvocable<void(AuthorizedRooms)> waiting;
};

// The shard's part, played by the test.
class FakeHost final : public SessionHost {
 public:
  FakeHost() : log_(MemoryLog::Options(), clock, "e"), wheel_(clock.SteadyMillis()) {
    TokenVerifier::Options tokens;
    tokens.secrets = {kSecret};
    tokens.profile_claims = {"name"};
    tokens_ = *TokenVerifier::Create(tokens);
  }

  const SessionOptions& options() const override { return settings; }
  const TokenVerifier& tokens() const override { return *tokens_; }
  CommandHandler& commands() override { return handler; }
  ShardCounters& counters() override { return counted; }
  int index() const override { return 3; }
  const std::string& epoch() const override { return log_.epoch(); }
  int64_t NowSteady() const override { return clock.SteadyMillis(); }
  int64_t NowWall() const override { return clock.WallMillis() + wall_jump; }
  void Schedule(TimerNode& node, int64_t deadline) override { wheel_.Schedule(node, deadline); }
  void Post(absl::AnyInvocable<void()> task) override { posted.push_back(std::move(task)); }
  absl::StatusOr<uint64_t> Admit(Session& session, ConnectionInfo connection,
                                 const std::vector<AllowedRoom>& rooms) override {
    if (!admission.ok()) return admission;
    admitted.push_back(std::move(connection));
    joined.clear();
    for (const AllowedRoom& allowed : rooms) joined.push_back(allowed.room);
    present = &session;
    return log_.Head();
  }
  void Dismiss(Session&, bool leaving) override {
    present = nullptr;
    left = leaving;
  }
  void Supersede(const std::string& connection_id, UserId, ResumeStore::Term,
                 absl::AnyInvocable<void(bool)> done) override {
    superseded.push_back(connection_id);
    supersede_done = std::move(done);
  }
  ResumeStore& resumes() override { return store; }
  void EnterRoom(Session&, const std::string& room) override { joined.push_back(room); }
  void ExitRoom(Session&, std::string_view room) override { std::erase(joined, room); }
  uint64_t settled() const override { return handled; }
  const EventLog& log() const override { return log_; }
  FramePtr ReplayFrame(const Dialect& dialect, const EntryPtr& entry) override {
    return dialect.Event(entry, epoch());
  }
  void MarkFull(Session& session) override { full.push_back(&session); }

  // Accepts an entry; with `hand` false the shard has yet to hand it out.
  EntryPtr Accept(std::shared_ptr<Entry> entry, bool hand = true) {
    if (entry->type->delivery != DeliveryClass::kEphemeral) {
      EXPECT_TRUE((*log_.Append(entry)).ok());
    }
    if (hand) Hand(entry);
    return entry;
  }
  // As the shard does with what comes through its inbox.
  void Hand(const EntryPtr& entry) {
    if (entry->sequence != 0) handled = entry->sequence;
    if (present != nullptr) present->Deliver(entry, present->dialect().Event(entry, epoch()));
    for (Session* session : std::exchange(full, {})) session->Relieve();
  }
  // Until nothing is posted any more.
  void RunPosted() {
    while (!posted.empty()) {
      for (auto& task : std::exchange(posted, {})) task();
    }
  }
  // Everything so far is kept no longer, and somebody got some of it.
  void CutHistory() {
    Accept(Durable(Target::Everyone()), /*hand=*/false);
    handled = log_.Head();
    clock.Advance(MemoryLog::Options().max_age_ms + 1000);
    log_.Trim();
  }
  void Pass(int64_t millis) {
    for (; millis > 0; millis -= 50) {
      clock.Advance(std::min<int64_t>(50, millis));
      wheel_.Advance(clock.SteadyMillis());
    }
  }

  ManualClock clock;
  // Before what may hold sessions to the end, which let their records go then.
  MemoryResumeStore store{{.max_age_ms = 86'400'000}, clock};
  SessionOptions settings;
  EchoCommands handler;
  ShardCounters counted;
  const NativeDialect dialect{};
  absl::Status admission;
  std::vector<ConnectionInfo> admitted;
  std::vector<std::string> joined;
  std::vector<absl::AnyInvocable<void()>> posted;
  std::vector<Session*> full;
  Session* present = nullptr;
  bool left = false;  // the last to be dismissed had said goodbye
  std::vector<std::string> superseded;
  absl::AnyInvocable<void(bool)> supersede_done;
  uint64_t handled = 0;
  int64_t wall_jump = 0;  // of the application's clock

 private:
  std::unique_ptr<const TokenVerifier> tokens_;
  MemoryLog log_;
  TimerWheel wheel_;
};

// A socket that takes what the test lets it take.
class FakeTransport final : public Transport, public std::enable_shared_from_this<FakeTransport> {
 public:
  explicit FakeTransport(SessionHost& host) : session(host, *this) {}

  Outbox& outbox() override { return outbox_; }
  void MarkDirty() override {
    EXPECT_FALSE(close_code) << "something follows the close frame";
    dirty = true;
  }
  void Flush() override {
    if (open) TakeAll();
  }
  void Close(uint16_t code, std::string_view reason) override {
    EXPECT_FALSE(close_code) << "closed twice";
    close_code = code;
    close_reason = reason;
  }
  void Abort() override {
    aborted = true;
    session.OnLost();
  }
  void ResumeReading() override { ++resumed; }
  void OnAuthenticated() override { authenticated = true; }
  std::shared_ptr<void> Share() override { return shared_from_this(); }

  // The socket takes `n` bytes of what waits.
  void Take(size_t n) {
    if (n == 0) return;
    iovec parts[1024];
    const int count = outbox_.Gather(parts, 1024);
    size_t left = n;
    for (int i = 0; i < count && left > 0; ++i) {
      const size_t part = std::min(left, parts[i].iov_len);
      bytes_.append(static_cast<const char*>(parts[i].iov_base), part);
      left -= part;
    }
    ASSERT_EQ(left, 0u);
    outbox_.Consume(n);
    session.OnWritten();
    if (outbox_.empty()) session.OnDrained();
  }
  // The socket takes everything, and what follows from that, too.
  void TakeAll() {
    while (!outbox_.empty()) {
      size_t n = 0;
      iovec parts[1024];
      const int count = outbox_.Gather(parts, 1024);
      for (int i = 0; i < count; ++i) n += parts[i].iov_len;
      Take(n);
    }
  }
  // Text frames that the socket has taken since the last call; pings are counted.
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    while (bytes_.size() >= 2) {
      const auto byte = [this](size_t i) { return static_cast<uint8_t>(bytes_[i]); };
      size_t header = 2;
      size_t length = byte(1);
      if (length == 126) {
        header = 4;
        length = static_cast<size_t>(byte(2)) << 8 | byte(3);
      }
      if (bytes_.size() < header + length) break;
      if (byte(0) == 0x81) texts.push_back(bytes_.substr(header, length));
      if (byte(0) == 0x89) ++pings;
      bytes_.erase(0, header + length);
    }
    return texts;
  }

  Session session;
  bool dirty = false;
  bool open = true;  // Flush finds a socket that takes everything
  bool authenticated = false;
  bool aborted = false;
  int resumed = 0;
  int pings = 0;
  std::optional<uint16_t> close_code;
  std::string close_reason;

 private:
  Outbox outbox_;
  std::string bytes_;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { Accept(); }

  // A new connection.
  void Accept() {
    transport_ = std::make_shared<FakeTransport>(host_);
    session().Start();
  }
  Session& session() { return transport_->session; }

  std::string Token(UserId user = 1, int64_t lifetime_seconds = 3600) {
    return HmacToken(kSecret,
                     absl::StrCat(R"({"sub":")", user, R"(","name":"Ann","exp":)",
                                  host_.clock.WallMillis() / 1000 + lifetime_seconds, "}"));
  }
  void Open(std::optional<std::string> cursor = {}, std::vector<std::string> rooms = {}) {
    session().Open(host_.dialect, {{Token(), std::move(cursor), std::move(rooms)}});
    host_.RunPosted();
  }
  void OpenBare(std::optional<std::string> cursor = {}, std::vector<std::string> rooms = {}) {
    session().Open(host_.dialect, {{"", std::move(cursor), std::move(rooms)}});
  }
  // Open, with welcome and live read away.
  void GoLive() {
    Open();
    EXPECT_THAT(Texts(), ::testing::SizeIs(2));
  }
  std::vector<std::string> Texts() {
    transport_->TakeAll();
    return transport_->Texts();
  }
  void Say(const std::string& text) { session().OnText(text); }

  FakeHost host_;
  std::shared_ptr<FakeTransport> transport_;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_UNIT_SESSION_SESSION_FIXTURE_H_
