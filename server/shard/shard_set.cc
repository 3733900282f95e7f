#include "server/shard/shard_set.h"

#include <pthread.h>

#include <string>

namespace msab {

ShardSet::ShardSet(int count, const Shard::House& house, const Shard::Options& options) {
  for (int i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(i, house, options));
    house.dispatcher->AddShard(&shards_.back()->inbox());
  }
}

ShardSet::~ShardSet() { Stop(); }

absl::Status ShardSet::Listen(HostPort address) {
  for (const auto& shard : shards_) {
    absl::Status opened = shard->Listen(address);
    if (!opened.ok()) return opened;
    address.port = shard->port();
  }
  return absl::OkStatus();
}

void ShardSet::Start() {
  for (const auto& shard : shards_) {
    threads_.emplace_back([&shard = *shard] {
      pthread_setname_np(pthread_self(), ("shard-" + std::to_string(shard.index())).c_str());
      shard.Run();
    });
  }
}

void ShardSet::BeginDrain(int64_t spread) {
  for (const auto& shard : shards_) {
    shard->Post([&shard = *shard, spread] { shard.BeginDrain(spread); });
  }
}

void ShardSet::Stop() {
  if (threads_.empty()) return;
  for (const auto& shard : shards_) shard->Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

int64_t ShardSet::connections() const {
  int64_t open = 0;
  for (const auto& shard : shards_) open += shard->read_counters().connections.Value();
  return open;
}

}  // namespace msab
