#ifndef MSAB_SHARD_SHARDS_H_
#define MSAB_SHARD_SHARDS_H_

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "server/shard/shard.h"

namespace msab {

// All shards and their threads. Owned by the Relay; one thread calls it.
class Shards {
 public:
  // Makes `count` shards and adds their inboxes to the house's Dispatcher.
  Shards(int count, const Shard::House& house, const Shard::Options& options);
  ~Shards();

  // All of them listen at `address`; with port 0 the first is given one and the others share it.
  absl::Status Listen(HostPort address);
  uint16_t port() const { return shards_.front()->port(); }

  void Start();

  // From now on upgrades are refused (503).
  void RefuseUpgrades();

  // Asks all connections to leave, spread over `spread` ms; refuses upgrades, too.
  void BeginDrain(int64_t spread);

  // Ends every thread, aborting the connections left.
  void Stop();

  // Connections open now, authenticated or not.
  int64_t connections() const;

  const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
};

}  // namespace msab

#endif  // MSAB_SHARD_SHARDS_H_
