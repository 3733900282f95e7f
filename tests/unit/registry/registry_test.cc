#include "server/registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace msab {
namespace {

using ::testing::IsEmpty;

constexpr size_t kAll = std::numeric_limits<size_t>::max();

ConnectionInfo Info(std::string id, UserId user, int shard = 0, std::string profile = "") {
  if (profile.empty()) profile = "{\"id\":" + std::to_string(user) + "}";
  return {std::move(id), user, shard, std::make_shared<const std::string>(std::move(profile))};
}

void ExpectReach(const Reach& reach, ShardSet shards, uint32_t targeted, uint32_t online,
                 uint32_t connections) {
  EXPECT_EQ(reach.shards, shards);
  EXPECT_EQ(reach.recipients.users_targeted, targeted);
  EXPECT_EQ(reach.recipients.users_online, online);
  EXPECT_EQ(reach.recipients.connections, connections);
}

TEST(RegistryTest, AConnectionIdIsRegisteredOnceAtATime) {
  Registry registry;
  EXPECT_TRUE(registry.Add(Info("a", 1)));
  EXPECT_FALSE(registry.Add(Info("a", 2)));
  EXPECT_EQ(registry.ConnectionsOf(2), 0u);
  EXPECT_EQ(registry.Get("a")->user, 1);
  registry.Remove("a", 0);
  registry.Remove("a", 0);
  EXPECT_EQ(registry.Get("a"), nullptr);
  EXPECT_TRUE(registry.Add(Info("a", 2)));
  EXPECT_EQ(registry.connections(), 1u);
  EXPECT_EQ(registry.users(), 1u);
}

TEST(RegistryTest, FindsAUsersConnectionsOnTheirShards) {
  Registry registry;
  registry.Add(Info("a", 1, 0));
  registry.Add(Info("b", 1, 5));
  registry.Add(Info("c", 2, 63));
  ExpectReach(registry.Find(Target::User(1), "", 0), 0b100001, 1, 1, 2);
  ExpectReach(registry.Find(Target::User(1), "a", 0), 0b100000, 1, 1, 1);
  ExpectReach(registry.Find(Target::User(1), "c", 0), 0b100001, 1, 1, 2);
  ExpectReach(registry.Find(Target::User(2), "c", 0), 0, 1, 0, 0);
  ExpectReach(registry.Find(Target::User(2), "", 2), 0, 1, 0, 0);
  ExpectReach(registry.Find(Target::User(3), "", 0), 0, 1, 0, 0);
  ExpectReach(registry.Find(Target::Users({1, 2, 3}), "b", 0), (ShardSet{1} << 63) | 1, 3, 2, 2);
}

TEST(RegistryTest, FindsARoomByItsConnectionsNotItsUsers) {
  Registry registry;
  registry.Add(Info("a1", 1, 0));
  registry.Add(Info("a2", 1, 1));
  registry.Add(Info("a3", 1, 2));
  registry.Add(Info("b", 2, 1));
  registry.Join("a1", "r");
  registry.Join("a2", "r");
  registry.Join("b", "r");
  ExpectReach(registry.Find(Target::Room("r"), "", 0), 0b011, 2, 2, 3);
  ExpectReach(registry.Find(Target::Room("r"), "a1", 0), 0b010, 2, 2, 2);
  ExpectReach(registry.Find(Target::Room("r"), "a3", 0), 0b011, 2, 2, 3);
  ExpectReach(registry.Find(Target::Room("r"), "b", 0), 0b011, 2, 1, 2);
  ExpectReach(registry.Find(Target::Room("r"), "", 1), 0b010, 1, 1, 1);
  ExpectReach(registry.Find(Target::Room("r"), "a1", 1), 0b010, 1, 1, 1);
  ExpectReach(registry.Find(Target::Room("r"), "b", 1), 0, 1, 0, 0);
  ExpectReach(registry.Find(Target::UserInRoom(1, "r"), "", 0), 0b011, 1, 1, 2);
  ExpectReach(registry.Find(Target::UserInRoom(3, "r"), "", 0), 0, 1, 0, 0);
  ExpectReach(registry.Find(Target::Room("none"), "", 0), 0, 0, 0, 0);
}

TEST(RegistryTest, FindsEveryone) {
  Registry registry;
  ExpectReach(registry.Find(Target::Everyone(), "", 0), 0, 0, 0, 0);
  registry.Add(Info("a1", 1, 0));
  registry.Add(Info("a2", 1, 1));
  registry.Add(Info("b", 2, 1));
  ExpectReach(registry.Find(Target::Everyone(), "", 0), 0b11, 2, 2, 3);
  ExpectReach(registry.Find(Target::Everyone(), "b", 0), 0b11, 2, 1, 2);
  ExpectReach(registry.Find(Target::Everyone(), "a1", 0), 0b10, 2, 2, 2);
  registry.Remove("a1", 0);
  ExpectReach(registry.Find(Target::Everyone(), "", 0), 0b10, 2, 2, 2);
}

TEST(RegistryTest, AUserEntersWithTheFirstConnectionAndLeavesWithTheLast) {
  Registry registry;
  registry.Add(Info("a1", 1));
  registry.Add(Info("a2", 1));
  EXPECT_FALSE(registry.Join("unknown", "r").known);
  EXPECT_TRUE(registry.Join("a1", "r").user_entered);
  EXPECT_FALSE(registry.Join("a2", "r").user_entered);
  const Registry::JoinOutcome again = registry.Join("a2", "r");
  EXPECT_TRUE(again.known);
  EXPECT_TRUE(again.already);
  EXPECT_FALSE(again.user_entered);
  EXPECT_TRUE(registry.IsMember("a1", "r"));
  EXPECT_FALSE(registry.Leave("a1", "r").user_left);
  EXPECT_FALSE(registry.IsMember("a1", "r"));
  EXPECT_FALSE(registry.Leave("a1", "r").was_member);
  EXPECT_FALSE(registry.Leave("unknown", "r").was_member);
  EXPECT_TRUE(registry.Leave("a2", "r").user_left);
  EXPECT_EQ(registry.rooms(), 0u);
}

TEST(RegistryTest, ALostConnectionKeepsItsUserInTheRoomForTheGrace) {
  Registry registry;
  registry.Add(Info("a", 1));
  registry.Join("a", "r");
  registry.Join("a", "s");
  registry.Remove("a", 1'000);
  EXPECT_EQ(registry.users(), 0u);
  EXPECT_EQ(registry.rooms(), 2u);
  ExpectReach(registry.Find(Target::Room("r"), "", 0), 0, 1, 0, 0);
  ExpectReach(registry.Find(Target::Room("r"), "", 1), 0, 0, 0, 0);
  ExpectReach(registry.Find(Target::Everyone(), "", 1), 0, 0, 0, 0);
  EXPECT_EQ(registry.ParticipantsJson("r"), R"([{"id":1}])");
  EXPECT_THAT(registry.TakeDeparted(999, kAll), IsEmpty());

  registry.Add(Info("a-again", 1));
  EXPECT_FALSE(registry.Join("a-again", "r").user_entered);  // back in time for this one
  const auto departed = registry.TakeDeparted(1'000, kAll);
  ASSERT_EQ(departed.size(), 1u);
  EXPECT_EQ(departed[0].user, 1);
  EXPECT_EQ(departed[0].room, "s");
  EXPECT_THAT(registry.TakeDeparted(5'000, kAll), IsEmpty());
  EXPECT_TRUE(registry.Join("a-again", "s").user_entered);
}

TEST(RegistryTest, DeparturesComeInTheOrderOfTheirTimeAndInPortions) {
  Registry registry;
  for (UserId user = 1; user <= 3; ++user) {
    const std::string id = std::to_string(user);
    registry.Add(Info(id, user));
    registry.Join(id, "r");
  }
  registry.Remove("2", 100);
  registry.Remove("1", 300);
  registry.Remove("3", 200);
  EXPECT_EQ(registry.TakeDeparted(1'000, 1)[0].user, 2);
  EXPECT_EQ(registry.ParticipantsJson("r"), R"([{"id":1},{"id":3}])");
  EXPECT_EQ(registry.TakeDeparted(1'000, kAll).size(), 2u);
  EXPECT_EQ(registry.rooms(), 0u);
}

TEST(RegistryTest, ParticipantsStandInTheOrderOfTheirComing) {
  Registry registry;
  EXPECT_EQ(registry.ParticipantsJson("r"), "[]");
  registry.Add(Info("c", 3));
  registry.Add(Info("a", 1));
  registry.Add(Info("b", 2));
  registry.Join("c", "r");
  registry.Join("a", "r");
  registry.Join("b", "r");
  EXPECT_EQ(registry.ParticipantsJson("r"), R"([{"id":3},{"id":1},{"id":2}])");
  // A second connection doesn't move the user, but brings the newer profile.
  registry.Add(Info("c2", 3, 0, R"({"id":3,"name":"New"})"));
  registry.Join("c2", "r");
  registry.Leave("c", "r");
  EXPECT_EQ(registry.ParticipantsJson("r"), R"([{"id":3,"name":"New"},{"id":1},{"id":2}])");
  registry.Leave("a", "r");
  registry.Join("a", "r");
  EXPECT_EQ(registry.ParticipantsJson("r"), R"([{"id":3,"name":"New"},{"id":2},{"id":1}])");
}

// The same, kept the simplest way: every answer is counted afresh.
class NaiveRegistry {
 public:
  struct Member {
    UserId user;
    int shard;
    std::set<std::string> rooms;
  };
  std::map<std::string, Member> connections;
  std::map<std::pair<UserId, std::string>, int64_t> grace;  // who lingers, until when

  bool Participates(UserId user, const std::string& room) const {
    if (grace.count({user, room}) != 0) return true;
    return std::any_of(connections.begin(), connections.end(), [&](const auto& entry) {
      return entry.second.user == user && entry.second.rooms.count(room) != 0;
    });
  }
  Reach Find(const Target& target, const std::string& except, UserId except_user) const {
    Reach reach;
    std::set<UserId> targeted(target.users.begin(), target.users.end());
    std::set<UserId> online;
    for (UserId user = 1; user <= 20; ++user) {
      if (user == except_user) continue;
      if (target.kind == Target::Kind::kRoom && Participates(user, target.room)) {
        targeted.insert(user);
      }
    }
    for (const auto& [id, member] : connections) {
      if (member.user == except_user) continue;
      if (target.kind == Target::Kind::kEveryone) targeted.insert(member.user);
      const bool by_user =
          std::find(target.users.begin(), target.users.end(), member.user) != target.users.end();
      const bool by_room = member.rooms.count(target.room) != 0;
      const bool gets = target.kind == Target::Kind::kEveryone ||
                        (target.kind == Target::Kind::kUsers && by_user) ||
                        (target.kind == Target::Kind::kRoom && by_room) ||
                        (target.kind == Target::Kind::kUserInRoom && by_user && by_room);
      if (!gets || id == except) continue;
      online.insert(member.user);
      ++reach.recipients.connections;
      reach.shards |= ShardSet{1} << member.shard;
    }
    reach.recipients.users_targeted = static_cast<uint32_t>(targeted.size());
    reach.recipients.users_online = static_cast<uint32_t>(online.size());
    return reach;
  }
};

TEST(RegistryTest, AgreesWithANaiveOneOverRandomLives) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](int n) { return static_cast<int>(random() % n); };
    Registry registry;
    NaiveRegistry naive;
    int64_t now = 0;
    for (int step = 0; step < 1'500; ++step) {
      const std::string id = "c" + std::to_string(pick(25));
      const std::string room = "r" + std::to_string(pick(4));
      const bool known = naive.connections.count(id) != 0;
      switch (pick(6)) {
        case 0: {
          const ConnectionInfo info = Info(id, 1 + pick(8), pick(4));
          ASSERT_EQ(registry.Add(info), !known);
          if (!known) naive.connections[id] = {info.user, info.shard, {}};
          break;
        }
        case 1: {
          registry.Remove(id, now + 50);
          if (!known) break;
          const NaiveRegistry::Member gone = naive.connections[id];
          naive.connections.erase(id);
          for (const std::string& left : gone.rooms) {
            if (!naive.Participates(gone.user, left)) naive.grace[{gone.user, left}] = now + 50;
          }
          break;
        }
        case 2:
        case 3: {
          const Registry::JoinOutcome outcome = registry.Join(id, room);
          ASSERT_EQ(outcome.known, known);
          if (!known) break;
          NaiveRegistry::Member& member = naive.connections[id];
          ASSERT_EQ(outcome.user_entered, !naive.Participates(member.user, room));
          ASSERT_EQ(outcome.already, !member.rooms.insert(room).second);
          naive.grace.erase({member.user, room});
          break;
        }
        case 4: {
          const Registry::LeaveOutcome outcome = registry.Leave(id, room);
          const bool member = known && naive.connections[id].rooms.erase(room) != 0;
          ASSERT_EQ(outcome.was_member, member);
          if (member) {
            ASSERT_EQ(outcome.user_left, !naive.Participates(naive.connections[id].user, room));
          }
          break;
        }
        default: {
          now += pick(20);
          std::set<std::pair<UserId, std::string>> departed;
          for (const auto& gone : registry.TakeDeparted(now, kAll)) {
            departed.emplace(gone.user, gone.room);
          }
          std::set<std::pair<UserId, std::string>> expected;
          for (auto it = naive.grace.begin(); it != naive.grace.end();) {
            if (it->second > now) {
              ++it;
              continue;
            }
            expected.insert(it->first);
            it = naive.grace.erase(it);
          }
          ASSERT_EQ(departed, expected);
        }
      }
      const UserId user = 1 + pick(8);
      Target target;
      switch (pick(4)) {
        case 0:
          target = Target::Users({user, user % 8 + 1});
          break;
        case 1:
          target = Target::Room(room);
          break;
        case 2:
          target = Target::UserInRoom(user, room);
          break;
        default:
          break;
      }
      const std::string except = pick(2) == 0 ? "" : "c" + std::to_string(pick(25));
      const UserId except_user = pick(2) == 0 ? 0 : 1 + pick(8);
      const Reach got = registry.Find(target, except, except_user);
      const Reach expected = naive.Find(target, except, except_user);
      ASSERT_EQ(got.shards, expected.shards) << "seed " << seed << " step " << step;
      ASSERT_EQ(got.recipients.users_targeted, expected.recipients.users_targeted);
      ASSERT_EQ(got.recipients.users_online, expected.recipients.users_online);
      ASSERT_EQ(got.recipients.connections, expected.recipients.connections);
      ASSERT_EQ(registry.connections(), naive.connections.size());
    }
  }
}

}  // namespace
}  // namespace msab
