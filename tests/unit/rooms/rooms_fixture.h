#ifndef MSAB_TESTS_UNIT_ROOMS_ROOMS_FIXTURE_H_
#define MSAB_TESTS_UNIT_ROOMS_ROOMS_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/dispatch/dispatcher.h"
#include "server/log/memory_log.h"
#include "server/rooms/commands.h"
#include "server/rooms/webhook_gifts.h"
#include "tests/support/direct_intake.h"
#include "tests/unit/rooms/fake_caller.h"
#include "tests/unit/rooms/fake_webhook.h"

namespace msab {

// An inbox that is emptied by hand.
class HandInbox final : public Inbox {
 public:
  bool HasRoom() const override { return !full; }
  void Push(InboxItem item) override { items.push_back(std::move(item)); }
  size_t size() const override { return items.size(); }

  bool full = false;
  std::vector<InboxItem> items;
};

// A client: its session, and what it was told, in order. An answer is journaled as its data or its
// error's code, an event as its name.
struct Client {
  std::shared_ptr<FakeCaller> caller;
  std::vector<std::string> journal;
  std::vector<EntryPtr> events;
  std::vector<CommandResult> answers;

  const std::string& data(size_t answer) const { return std::get<std::string>(answers.at(answer)); }
  const CommandError& error(size_t answer) const {
    return std::get<CommandError>(answers.at(answer));
  }
  boost::json::value json(size_t answer) const { return boost::json::parse(data(answer)); }
};

// Commands over the real Dispatcher, registry and log, with two shards that run when a test says.
class RoomsFixture : public ::testing::Test {
 protected:
  static constexpr int kShards = 2;

  RoomsFixture() {
    for (HandInbox& inbox : inboxes_) dispatcher_.AddShard(&inbox);
    Configure({});
  }

  void Configure(Commands::Options options) {
    commands_.reset();
    commands_ = std::make_unique<Commands>(
        Commands::House{*catalog_, clock_, dispatcher_, intake_, *gateway_, *authorizer_}, options);
  }
  // From here on there is an application to ask; before anybody connects.
  FakeWebhook& ConnectApplication(RoomAuthorizer::Options options = {}) {
    commands_.reset();
    authorizer_ = std::make_unique<RoomAuthorizer>(clock_, &webhook_, options);
    gateway_ = std::make_unique<WebhookGifts>(webhook_);
    Configure({});
    return webhook_;
  }

  // A registered session. Its profile's further claims, if any, begin with a comma.
  Client& Connect(const std::string& id, UserId user, int shard = 0, std::string_view claims = "") {
    std::string profile = absl::StrCat(R"({"id":)", user, R"(,"name":"User )", user,
                                       R"(","avatar":null)", std::string(claims), "}");
    return Connect(id, user, shard, std::make_shared<const std::string>(std::move(profile)));
  }
  Client& Connect(const std::string& id, UserId user, int shard,
                  std::shared_ptr<const std::string> profile) {
    auto client = std::make_unique<Client>();
    client->caller = std::make_shared<FakeCaller>(id, user, shard, *profile);
    EXPECT_TRUE(dispatcher_.Register({id, user, shard, std::move(profile)}, {}).ok());
    clients_.push_back(std::move(client));
    return *clients_.back();
  }

  void Disconnect(Client& client) {
    client.caller->Close();
    dispatcher_.Unregister(client.caller->connection_id(), false);
  }

  void Ask(Client& client, std::string_view event, std::string_view data) {
    commands_->Handle(client.caller, event,
                      boost::json::parse(boost::json::string_view(data.data(), data.size())),
                      [&client](CommandResult result) {
                        const auto* error = std::get_if<CommandError>(&result);
                        client.journal.push_back(error != nullptr ? std::string(error->code)
                                                                  : std::get<std::string>(result));
                        client.answers.push_back(std::move(result));
                      });
  }
  void Join(Client& client, const std::string& room) {
    Ask(client, "room:join", absl::StrCat(R"({"roomId":")", room, "\"}"));
  }
  void Leave(Client& client, const std::string& room) {
    Ask(client, "room:leave", absl::StrCat(R"({"roomId":")", room, "\"}"));
  }
  void Chat(Client& client, const std::string& room, std::string_view rest = "") {
    Ask(client, "chat:message",
        absl::StrCat(R"({"roomId":")", room, R"(","content":"hi")", std::string(rest), "}"));
  }
  // In the room and with everything so far forgotten.
  void Enter(Client& client, const std::string& room) {
    Join(client, room);
    Run();
    Forget();
    ASSERT_TRUE(client.caller->InRoom(room));
  }

  // One shard's turn: tasks run and entries are delivered, in their order.
  void RunShard(int shard) {
    std::vector<InboxItem> items = std::exchange(inboxes_[shard].items, {});
    for (InboxItem& item : items) {
      if (item.task) {
        item.task();
        continue;
      }
      for (const auto& client : clients_) Deliver(*client, shard, item.entry);
    }
  }
  // Turns of all shards until nothing waits.
  void Run() {
    while (std::any_of(inboxes_.begin(), inboxes_.end(),
                       [](const HandInbox& inbox) { return !inbox.items.empty(); })) {
      for (int shard = 0; shard < kShards; ++shard) RunShard(shard);
    }
  }

  void Forget() {
    for (const auto& client : clients_) {
      client->journal.clear();
      client->events.clear();
      client->answers.clear();
    }
  }

  // How many connections an event to `room` reaches: the registry's view of it.
  uint32_t Reach(const std::string& room) {
    uint32_t connections = 0;
    dispatcher_.Dispatch(
        catalog_->MakeEncoded("room:userLeft",
                              absl::StrCat(R"({"roomId":")", room, R"(","userId":9})"),
                              Target::Room(room), clock_.WallMillis()),
        [&connections](absl::StatusOr<Dispatched> outcome) {
          connections = outcome.value().recipients.connections;
        });
    return connections;
  }

  ManualClock clock_;
  std::unique_ptr<const Catalog> catalog_ = Catalog::Create({}).value();
  MemoryLog log_{{}, clock_};
  Dispatcher dispatcher_{*catalog_, clock_, log_, {}};
  std::array<HandInbox, kShards> inboxes_;
  test::DirectIntake intake_{*catalog_, clock_, dispatcher_};
  FakeWebhook webhook_;
  std::unique_ptr<GiftGateway> gateway_ = std::make_unique<NoGiftGateway>();
  std::unique_ptr<RoomAuthorizer> authorizer_ =
      std::make_unique<RoomAuthorizer>(clock_, nullptr, RoomAuthorizer::Options());
  std::unique_ptr<Commands> commands_;
  std::vector<std::unique_ptr<Client>> clients_;

 private:
  void Deliver(Client& client, int shard, const EntryPtr& entry) {
    const FakeCaller& caller = *client.caller;
    const Target& target = entry->target;
    if (caller.shard() != shard || !caller.admitted()) return;
    if (entry->except_user == caller.user() || entry->except_connection == caller.connection_id()) {
      return;
    }
    const bool reached = target.kind == Target::Kind::kUsers
                             ? std::find(target.users.begin(), target.users.end(), caller.user()) !=
                                   target.users.end()
                             : caller.InRoom(target.room);
    if (!reached) return;
    client.journal.push_back(entry->name);
    client.events.push_back(entry);
  }
};

}  // namespace msab

#endif  // MSAB_TESTS_UNIT_ROOMS_ROOMS_FIXTURE_H_
