#include "tests/e2e/harness/relay_test.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace msab::e2e {
namespace {

constexpr int64_t kFenceAgency = 9'000'000'000;

}  // namespace

RelayProcess& RelayTest::Start(const RelayOptions& options) {
  door_.reset();
  relay_.reset();
  relay_ = std::make_unique<RelayProcess>(options);
  return *relay_;
}

RelayProcess& RelayTest::relay() {
  if (relay_ == nullptr) Start();
  return *relay_;
}

Door& RelayTest::door() {
  if (door_ == nullptr) door_ = OpenDoor(DoorKind::kGrpc, relay());
  return *door_;
}

Answer RelayTest::Emit(const std::string& request) {
  Answer answer = door().Emit(request);
  EXPECT_TRUE(answer.ok()) << testing::PrintToString(answer) << "\n" << request.substr(0, 400);
  return answer;
}

Client RelayTest::Connect(int64_t user, std::vector<std::string> rooms) {
  Client client(
      relay(),
      {.token = UserToken(user), .rooms = std::move(rooms), .speech = speech(), .user = user});
  EXPECT_TRUE(client.Replay().empty());
  return client;
}

Received RelayTest::Fence(const std::vector<Client*>& clients) {
  std::set<int64_t> users;
  for (Client* client : clients) users.insert(Number(client->Welcome(), "userId"));
  const int64_t number = kFenceAgency + ++fences_;
  Emit(absl::StrCat(R"({"target":{"user_ids":{"ids":[)", absl::StrJoin(users, ","),
                    R"(]}},"agency_dissolved":{"agency_id":)", number,
                    R"(,"agency_name":"fence"}})"));
  Received received;
  for (Client* client : clients) {
    std::vector<Json> frames = client->Until(
        [number](const Json& frame) { return Number(At(frame, "data"), "agency_id") == number; });
    if (!frames.empty()) frames.pop_back();
    received.push_back(std::move(frames));
  }
  return received;
}

void RelayTest::ExpectNothing(const std::vector<Client*>& clients) {
  size_t index = 0;
  for (const std::vector<Json>& frames : Fence(clients)) {
    EXPECT_TRUE(frames.empty()) << "client " << index << " got " << frames.front();
    ++index;
  }
}

std::string Marker(int64_t user, int64_t number) {
  return absl::StrCat(R"({"target":{"user_id":)", user,
                      R"(},"agency_join_request_approved":{"agency_id":)", number,
                      R"(,"agency_name":"marker"}})");
}

int64_t MarkerNumber(const Json& frame) {
  if (Text(frame, "event") != "agency.join_request_approved") return -1;
  return Number(At(frame, "data"), "agency_id");
}

}  // namespace msab::e2e
