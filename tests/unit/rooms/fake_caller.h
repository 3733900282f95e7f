#ifndef MSAB_TESTS_UNIT_ROOMS_FAKE_CALLER_H_
#define MSAB_TESTS_UNIT_ROOMS_FAKE_CALLER_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "server/dispatch/command_handler.h"

namespace msab {

// A session that is only its rooms. After Close() it is in none and enters none, as a session is
// whose connection is gone.
class FakeCaller final : public Caller {
 public:
  FakeCaller(std::string connection_id, UserId user, int shard, std::string profile)
      : connection_id_(std::move(connection_id)),
        user_(user),
        shard_(shard),
        profile_(std::move(profile)) {}

  const std::string& connection_id() const override { return connection_id_; }
  UserId user() const override { return user_; }
  int shard() const override { return shard_; }
  const std::string& profile() const override { return profile_; }
  bool InRoom(std::string_view room) const override { return rooms_.find(room) != rooms_.end(); }
  size_t room_count() const override { return rooms_.size(); }
  void EnterRoom(const std::string& room, uint64_t /*since*/) override {
    if (open_) rooms_.insert(room);
  }
  void ExitRoom(std::string_view room) override {
    if (const auto found = rooms_.find(room); found != rooms_.end()) rooms_.erase(found);
  }

  bool admitted() const override { return open_; }
  void Close() {
    open_ = false;
    rooms_.clear();
  }

 private:
  const std::string connection_id_;
  const UserId user_;
  const int shard_;
  const std::string profile_;
  bool open_ = true;
  std::set<std::string, std::less<>> rooms_;
};

}  // namespace msab

#endif  // MSAB_TESTS_UNIT_ROOMS_FAKE_CALLER_H_
