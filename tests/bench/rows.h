#ifndef MSAB_TESTS_BENCH_ROWS_H_
#define MSAB_TESTS_BENCH_ROWS_H_

#include <string>
#include <vector>

#include "tests/bench/crowd.h"
#include "tests/bench/stage.h"

namespace msab::bench {

// The rows of the bench, as main.cc names them. Each starts what it needs and prints its lines.

// One room event at a time to 1,000 sockets: processor time per message, with `shards` shards.
void FanOutRow(const Stage& stage, int shards);
// Sixteen in flight, each replaced when all 1,000 have it.
void ClosedLoopRow(const Stage& stage, int shards);
// One at a time: p99 of the time until a client has it.
void LatencyRow(const Stage& stage);
// Allocations per recipient, writes per message.
void CountsRow(const Stage& stage);

// One EmitEvent at a time per caller, to users who are away, or here.
void UnaryOfflineRow(const Stage& stage);
void UnaryOnlineRow(const Stage& stage);
// EmitEvents of 64.
void BatchRow(const Stage& stage);

// Memory of 10,000 idle connections.
void MemoryRow(const Stage& stage);
// 10,000 clients come back to 100 missed events each.
void ResumeRow(const Stage& stage);

// The Socket.IO dialect beside the native one: processor time per message, memory.
void SocketIoRow(const Stage& stage);
// The Socket.IO dialect beside a real Socket.IO server.
void SocketIoPeerRow(const Stage& stage);

// One token for each client: making them is not what is measured.
std::vector<std::string> MintTokens(size_t count);

// What a server at `port` holds for each of `clients` idle connections, in KiB. `tokens`: one more.
double MemoryOfAConnection(const Child& child, uint16_t port, size_t clients,
                           const std::vector<std::string>& tokens, Crowd::Speech speech);

}  // namespace msab::bench

#endif  // MSAB_TESTS_BENCH_ROWS_H_
