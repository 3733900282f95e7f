#include "server/shard/shards.h"

#include <pthread.h>

#include <string>

namespace msab {

Shards::Shards(int count, const Shard::House& house, const Shard::Options& options) {
  Shard::House shared = house;
  shared.shards = &shards_;
  for (int i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(i, shared, options));
    house.dispatcher->AddShard(&shards_.back()->inbox());
  }
}

Shards::~Shards() { Stop(); }

absl::Status Shards::Listen(HostPort address) {
  for (const auto& shard : shards_) {
    absl::Status opened = shard->Listen(address);
    if (!opened.ok()) return opened;
    address.port = shard->port();
  }
  return absl::OkStatus();
}

void Shards::Start() {
  for (const auto& shard : shards_) {
    threads_.emplace_back([&shard = *shard] {
      pthread_setname_np(pthread_self(), ("shard-" + std::to_string(shard.index())).c_str());
      shard.Run();
    });
  }
}

void Shards::RefuseUpgrades() {
  for (const auto& shard : shards_) {
    shard->Post([&shard = *shard] { shard.RefuseUpgrades(); });
  }
}

void Shards::BeginDrain(int64_t spread) {
  for (const auto& shard : shards_) {
    shard->Post([&shard = *shard, spread] { shard.BeginDrain(spread); });
  }
}

void Shards::Stop() {
  if (threads_.empty()) return;
  for (const auto& shard : shards_) shard->Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

int64_t Shards::connections() const {
  int64_t open = 0;
  for (const auto& shard : shards_) open += shard->read_counters().connections.Value();
  return open;
}

}  // namespace msab
