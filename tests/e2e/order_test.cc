// One order for everybody, whoever emits and however.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/e2e/harness/grpc_door.h"
#include "tests/e2e/harness/relay_test.h"

namespace msab::e2e {
namespace {

constexpr int kPerEmitter = 400;
constexpr int64_t kEnd = 1'000'000'000;

// The k-th event of an emitter: to a room, to everyone, or to one user. Each names its emitter and
// number in a field of its own.
std::string Numbered(int emitter, int k) {
  const std::string label = absl::StrCat(emitter, ":", k);
  switch (k % 4) {
    case 0:
      return absl::StrCat(R"({"asset_invalidate":{"asset_ids":[")", label, R"("]}})");
    case 1:
      return absl::StrCat(R"({"target":{"user_id":101},"agency_join_request_approved":)",
                          R"({"agency_id":1,"agency_name":")", label, R"("}})");
    default:
      return absl::StrCat(R"({"gift_received":{"senderId":1,"roomId":"42","giftId":1,)",
                          R"("recipientIds":[2],"quantity":1,"transactionId":")", label, R"("}})");
  }
}

std::string Label(const Json& frame) {
  const Json& data = At(frame, "data");
  if (Has(data, "asset_ids")) return At(data, "asset_ids").as_array()[0].as_string().c_str();
  if (Has(data, "agency_name")) return Text(data, "agency_name");
  return Text(data, "transactionId");
}

std::pair<int, int> EmitterAndNumber(const std::string& label) {
  const size_t colon = label.find(':');
  return {std::stoi(label.substr(0, colon)), std::stoi(label.substr(colon + 1))};
}

class OrderTest : public SpeechTest {
 protected:
  // Emits kPerEmitter events one by one, in batches, or over one stream; their cursors.
  std::vector<std::string> EmitAll(int emitter) {
    GrpcDoor door(relay().grpc_address());
    std::vector<std::string> cursors;
    const auto keep = [&](const Answer& answer) {
      EXPECT_TRUE(answer.ok()) << testing::PrintToString(answer);
      cursors.push_back(answer.cursor);
    };
    switch (emitter % 3) {
      case 0:
        for (int k = 0; k < kPerEmitter; ++k) keep(door.Emit(Numbered(emitter, k)));
        break;
      case 1:
        for (int k = 0; k < kPerEmitter; k += 40) {
          std::vector<std::string> batch;
          for (int i = k; i < k + 40; ++i) batch.push_back(Numbered(emitter, i));
          for (const Answer& answer : door.EmitBatch(batch)) keep(answer);
        }
        break;
      case 2: {
        const auto stream = door.OpenStream();
        std::thread reader([&] {
          while (const auto answer = stream->Read()) keep(*answer);
        });
        for (int k = 0; k < kPerEmitter; ++k) stream->Write(Numbered(emitter, k));
        stream->WritesDone();
        reader.join();
        EXPECT_TRUE(stream->Finish().ok());
        break;
      }
    }
    return cursors;
  }
};

TEST_P(OrderTest, IsOneForAllUnderConcurrentEmitters) {
  constexpr int kEmitters = 6;
  std::vector<Client> clients;
  for (int64_t user = 101; user < 107; ++user) {
    clients.push_back(
        Connect(user, user < 105 ? std::vector<std::string>{"42"} : std::vector<std::string>{}));
  }
  std::vector<Client*> pointers;
  for (Client& client : clients) pointers.push_back(&client);
  Fence(pointers);

  std::vector<std::future<std::vector<Json>>> readers;
  for (Client& client : clients) {
    readers.push_back(std::async(std::launch::async, [&client] {
      return client.Until([](const Json& frame) { return MarkerNumber(frame) == kEnd; });
    }));
  }
  std::vector<std::future<std::vector<std::string>>> emitters;
  for (int emitter = 0; emitter < kEmitters; ++emitter) {
    emitters.push_back(
        std::async(std::launch::async, [this, emitter] { return EmitAll(emitter); }));
  }
  // What the emitters were told: an emitter's own events ascend.
  std::map<std::string, std::string> cursor_of;
  for (int emitter = 0; emitter < kEmitters; ++emitter) {
    const std::vector<std::string> cursors = emitters[emitter].get();
    ASSERT_EQ(cursors.size(), size_t{kPerEmitter});
    for (int k = 0; k < kPerEmitter; ++k) {
      if (k > 0) {
        EXPECT_LT(Sequence(cursors[k - 1]), Sequence(cursors[k]));
      }
      cursor_of[absl::StrCat(emitter, ":", k)] = cursors[k];
    }
  }
  for (int64_t user = 101; user < 107; ++user) Emit(Marker(user, kEnd));

  std::vector<std::string> room_order;
  for (size_t i = 0; i < clients.size(); ++i) {
    std::vector<Json> frames = readers[i].get();
    ASSERT_FALSE(frames.empty());
    frames.pop_back();
    const bool in_room = i < 4;
    const size_t expected =
        kEmitters * kPerEmitter / 4 * (1 + (in_room ? 2 : 0) + (i == 0 ? 1 : 0));
    EXPECT_EQ(frames.size(), expected) << "client " << i;
    uint64_t last = 0;
    std::map<int, int> last_of_emitter;
    std::vector<std::string> order;
    for (const Json& frame : frames) {
      const std::string label = Label(frame);
      const std::string cursor = Text(frame, "cursor");
      EXPECT_EQ(cursor, cursor_of[label]) << label;
      EXPECT_GT(Sequence(cursor), last) << "client " << i;
      last = Sequence(cursor);
      const auto [emitter, number] = EmitterAndNumber(label);
      const auto [entry, first] = last_of_emitter.try_emplace(emitter, -1);
      EXPECT_GT(number, entry->second) << "client " << i << " emitter " << emitter;
      entry->second = number;
      if (Has(frame, "room")) order.push_back(label);
    }
    if (i == 0) room_order = order;
    if (in_room) {
      EXPECT_EQ(order, room_order) << "client " << i;
    }
  }
}

TEST_P(OrderTest, ABatchIsNumberedInItsOrderAndABadItemStopsNothing) {
  Client client = Connect(101);
  const std::vector<Answer> answers = door().EmitBatch(
      {Marker(101, 1), R"({"balance_updated":{"coins":"x"}})", Marker(101, 2), Marker(101, 3)});
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[1].code, kInvalidArgument);
  EXPECT_EQ(answers[1].violations.size(), 2U) << testing::PrintToString(answers[1]);
  const std::vector<std::vector<Json>> received = Fence({&client});
  ASSERT_EQ(received[0].size(), 3U);
  int64_t number = 0;
  for (const size_t item : {0, 2, 3}) {
    ASSERT_TRUE(answers[item].ok());
    const Json& frame = received[0][static_cast<size_t>(number)];
    EXPECT_EQ(MarkerNumber(frame), ++number);
    EXPECT_EQ(Text(frame, "cursor"), answers[item].cursor);
  }
}

TEST_P(OrderTest, AStreamAnswersItemByItem) {
  GrpcDoor door(relay().grpc_address());
  const auto stream = door.OpenStream();
  // Each answer comes while the stream is open, before the next request is sent.
  ASSERT_TRUE(stream->Write(Marker(101, 1)));
  const std::optional<Answer> first = stream->Read();
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->ok());
  ASSERT_TRUE(stream->Write(R"({"balance_updated":{}})"));
  const std::optional<Answer> bad = stream->Read();
  ASSERT_TRUE(bad.has_value());
  EXPECT_EQ(bad->code, kInvalidArgument);
  ASSERT_TRUE(stream->Write(Marker(101, 2)));
  const std::optional<Answer> second = stream->Read();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(Sequence(second->cursor), Sequence(first->cursor) + 1);
  stream->WritesDone();
  EXPECT_FALSE(stream->Read().has_value());
  EXPECT_TRUE(stream->Finish().ok());
}

INSTANTIATE_SPEECHES(OrderTest);

}  // namespace
}  // namespace msab::e2e
