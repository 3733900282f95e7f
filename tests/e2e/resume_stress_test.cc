// The promise of resume, under load: whoever comes back gets what was missed, once, in order.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <mutex>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

constexpr int kEvents = 100'000;
constexpr int kUsers = 8;
constexpr int kEmitters = 3;
constexpr int kBatch = 100;
constexpr int64_t kFirstUser = 101;
constexpr int64_t kEnd = 1'000'000'000;

// Where event `number` goes: most to one user or a room, some to everyone.
enum class Way { kUser, kRoom, kEveryone };
Way WayOf(int number) {
  const int lot = number % 20;
  return lot == 0 ? Way::kEveryone : lot < 9 ? Way::kRoom : Way::kUser;
}
int64_t UserOf(int number) { return kFirstUser + number / 20 % kUsers; }
int64_t RoomOf(int number) { return 1 + number % 3; }

std::string Request(int number) {
  switch (WayOf(number)) {
    case Way::kEveryone:
      return absl::StrCat(R"({"asset_invalidate":{"asset_ids":[")", number, R"("]}})");
    case Way::kRoom:
      return absl::StrCat(R"({"room_level_up":{"room_id":)", RoomOf(number), R"(,"new_level":)",
                          number, R"(,"new_room_xp":"1"}})");
    case Way::kUser:
      return Marker(UserOf(number), number);
  }
  return "";
}

// The number in a frame; −1 for frames of other kinds.
int64_t NumberIn(const Json& frame) {
  const std::string event = Text(frame, "event");
  const Json& data = At(frame, "data");
  if (event == "asset:invalidate") {
    int64_t number = -1;
    EXPECT_TRUE(absl::SimpleAtoi(At(data, "asset_ids").as_array()[0].as_string().c_str(), &number));
    return number;
  }
  if (event == "room.level_up") return Number(data, "new_level");
  return MarkerNumber(frame);
}

struct Visit {
  std::vector<std::pair<uint64_t, int64_t>> got;  // cursor's number, event's number
  int connections = 0;
  int cut_in_replay = 0;
};

class ResumeStressTest : public SpeechTest {
 protected:
  // Emits its share; notes each event's place in the order.
  void EmitShare(int emitter, std::vector<uint64_t>& places) {
    const auto way = OpenDoor(DoorKind::kGrpc, relay());
    for (int first = emitter * kBatch; first < kEvents; first += kEmitters * kBatch) {
      std::vector<int> pending;
      for (int n = first; n < first + kBatch; ++n) pending.push_back(n);
      while (!pending.empty()) {
        std::vector<std::string> requests;
        for (const int number : pending) requests.push_back(Request(number));
        const std::vector<Answer> answers = way->EmitBatch(requests);
        ASSERT_EQ(answers.size(), pending.size()) << testing::PrintToString(answers);
        std::vector<int> refused;
        for (size_t i = 0; i < answers.size(); ++i) {
          if (answers[i].ok()) {
            places[pending[i]] = Sequence(answers[i].cursor);
          } else {
            ASSERT_EQ(answers[i].code, kResourceExhausted) << testing::PrintToString(answers[i]);
            refused.push_back(pending[i]);
          }
        }
        pending = refused;
      }
    }
  }

  // Connects, reads for a while, goes away rudely or politely, in the replay or after it, comes
  // back with the last cursor, until the end marker.
  // `arrived` is told once it is in its rooms.
  Visit ReadWithInterruptions(int64_t user, const std::string& start, unsigned seed,
                              std::latch& arrived) {
    std::mt19937 random(seed);
    Visit visit;
    std::string cursor = start;
    std::string resume_id;
    const std::vector<std::string> rooms =
        user % 2 == 0 ? std::vector<std::string>{"1", "2"} : std::vector<std::string>{"2", "3"};
    while (true) {
      ++visit.connections;
      Client client = Open({.token = UserToken(user),
                            .cursor = cursor,
                            .rooms = rooms,
                            .speech = speech(),
                            .resume_id = resume_id});
      const bool welcome = !client.Welcome().is_null();
      if (visit.connections == 1) arrived.count_down();
      if (!welcome) return visit;
      // A client of Socket.IO has nothing to go on with at its first visit.
      const bool resumes = speech() == Speech::kNative || visit.connections > 1;
      EXPECT_EQ(At(client.Welcome(), "recovered"), Json(resumes)) << client.Welcome();
      EXPECT_EQ(client.cursor(), cursor);
      resume_id = Text(client.Welcome(), "resumeId");
      bool live = false;
      int64_t replayed = 0;
      // Every third visit ends in mid-replay, if there is one.
      const auto missed = static_cast<unsigned>(Number(client.Welcome(), "missed"));
      unsigned left = missed > 1 && random() % 3 == 0 ? 1 + random() % (missed - 1)
                                                      : static_cast<unsigned>(random() % 1'500);
      for (; left > 0; --left) {
        const Json frame = client.Next();
        if (frame.is_null()) break;  // closed for being slow: come back like after any loss
        if (Text(frame, "event") == "live") {
          live = true;
          EXPECT_EQ(replayed, Number(client.Welcome(), "missed"));
          continue;
        }
        if (!live) ++replayed;
        cursor = Text(frame, "cursor");
        const int64_t number = NumberIn(frame);
        if (number == kEnd) {
          client.socket().Close();
          return visit;
        }
        if (number >= 0) visit.got.emplace_back(Sequence(cursor), number);
      }
      if (!live) ++visit.cut_in_replay;
      if (random() % 2 == 0) {
        client.socket().Drop();
      } else if (random() % 2 == 0 && !client.socket().closed()) {
        client.socket().Close();
      }
    }
  }
};

TEST_P(ResumeStressTest, NothingIsLostDoubledOrOutOfOrder) {
  Start({.settings = {{"log.max_per_audience", "1000000"}, {"ws.max_per_user", "1000"}}});
  const std::string start = door().GetCursor().cursor;
  std::vector<std::future<Visit>> visitors;
  std::latch arrived(kUsers);
  for (int i = 0; i < kUsers; ++i) {
    visitors.push_back(std::async(std::launch::async, [this, start, i, &arrived] {
      return ReadWithInterruptions(kFirstUser + i, start, 4'711U + static_cast<unsigned>(i),
                                   arrived);
    }));
  }
  // Who names no rooms at its connect has to be in them before something happens there.
  arrived.wait();
  std::vector<uint64_t> places(kEvents, 0);
  std::vector<std::future<void>> emitters;
  for (int emitter = 0; emitter < kEmitters; ++emitter) {
    emitters.push_back(
        std::async(std::launch::async, [this, emitter, &places] { EmitShare(emitter, places); }));
  }
  for (auto& emitter : emitters) emitter.get();
  for (int i = 0; i < kUsers; ++i) Emit(Marker(kFirstUser + i, kEnd));

  int connections = 0;
  int cut_in_replay = 0;
  for (int i = 0; i < kUsers; ++i) {
    const Visit visit = visitors[i].get();
    connections += visit.connections;
    cut_in_replay += visit.cut_in_replay;
    const int64_t user = kFirstUser + i;
    std::vector<std::pair<uint64_t, int64_t>> expected;
    for (int number = 0; number < kEvents; ++number) {
      const Way way = WayOf(number);
      const bool own_room = RoomOf(number) == 2 || RoomOf(number) == (user % 2 == 0 ? 1 : 3);
      if (way == Way::kEveryone || (way == Way::kRoom && own_room) ||
          (way == Way::kUser && UserOf(number) == user)) {
        expected.emplace_back(places[number], number);
      }
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(visit.got.size(), expected.size()) << "user " << user;
    const auto [got, wanted] =
        std::mismatch(visit.got.begin(), visit.got.end(), expected.begin(), expected.end());
    if (wanted != expected.end()) {
      ADD_FAILURE() << "user " << user << ": expected event " << wanted->second << " at place "
                    << wanted->first << ", got "
                    << (got != visit.got.end() ? absl::StrCat(got->second, " at ", got->first)
                                               : std::string("nothing"));
    }
  }
  // The run was what it claims to be.
  EXPECT_GT(connections, kUsers * 10);
  // Socket.IO doesn't tell where the replay ends.
  if (speech() == Speech::kNative) {
    EXPECT_GT(cut_in_replay, 10);
  }
  RecordProperty("connections", connections);
  RecordProperty("cut_in_replay", cut_in_replay);
}

INSTANTIATE_SPEECHES(ResumeStressTest);

}  // namespace
}  // namespace msab::e2e
