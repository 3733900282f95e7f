#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/admin/metric_sources.h"

namespace msab {
namespace {

// A sum over all shards that is one family, or one label of one.
struct Sum {
  const char* name;
  const char* help;
  Counter ShardCounters::*counter;
};

constexpr Sum kGauges[] = {
    {"msab_connections", "WebSocket connections open, authenticated or not.",
     &ShardCounters::connections},
    {"msab_sessions", "WebSocket connections authenticated.", &ShardCounters::sessions},
};

constexpr Sum kTotals[] = {
    {"msab_tcp_accepted_total", "TCP connections accepted at the public door.",
     &ShardCounters::accepted},
    {"msab_accept_paused_total", "Times a shard was out of descriptors and paused accepting.",
     &ShardCounters::accept_paused},
    {"msab_sessions_opened_total", "Connections that were authenticated.",
     &ShardCounters::sessions_opened},
    {"msab_shard_entries_total", "Events that came through a shard's inbox.",
     &ShardCounters::entries},
    {"msab_frames_total", "Event frames given to sessions.", &ShardCounters::frames},
    {"msab_frames_replayed_total", "Event frames from history, for sessions that resumed.",
     &ShardCounters::replayed},
    {"msab_entries_expired_total", "Events past their ttl when they reached a shard.",
     &ShardCounters::expired},
    {"msab_ephemeral_dropped_total", "Ephemeral frames dropped for slow consumers.",
     &ShardCounters::ephemeral_dropped},
    {"msab_written_bytes_total", "Bytes written to WebSocket connections.",
     &ShardCounters::bytes_written},
    {"msab_writes_total", "System calls that wrote them.", &ShardCounters::writes},
    {"msab_commands_total", "Messages from clients.", &ShardCounters::commands},
    {"msab_commands_rate_limited_total", "Messages from clients over their connection's rate.",
     &ShardCounters::rate_limited},
    {"msab_resumes_recovered_total", "Connections that recovered everything from their cursor.",
     &ShardCounters::resumed},
};

constexpr std::array kCauses = {
    "client",   "slow_consumer",   "token_expired", "no_pong",        "draining",
    "too_many", "unauthenticated", "revoked",       "protocol_error", "origin",
    "removed",  "internal",        "superseded",
};
static_assert(kCauses.size() == static_cast<size_t>(CloseCause::kCount));

constexpr std::array kRefusals = {
    "bad_request",      "not_found",     "upgrade_required", "too_many_of_address",
    "too_many_waiting", "too_many_open", "draining",         "timeout",
};
static_assert(kRefusals.size() == static_cast<size_t>(DoorRefusal::kCount));

}  // namespace

void CollectShards(absl::Span<const ShardView> shards, MetricFamilies& families) {
  const auto sum = [&](auto&& counter_of) {
    int64_t total = 0;
    for (const ShardView& shard : shards) total += counter_of(*shard.counters).Value();
    return static_cast<double>(total);
  };
  for (const Sum& row : kGauges) {
    families.Gauge(row.name, row.help,
                   sum([&](const auto& of) -> auto& { return of.*row.counter; }));
  }
  for (const Sum& row : kTotals) {
    families.Counter(row.name, row.help,
                     sum([&](const auto& of) -> auto& { return of.*row.counter; }));
  }
  const std::string gaps = "Connections told that their cursor leaves a gap.";
  families.Counter("msab_resumes_gap_total", gaps,
                   sum([](const auto& of) -> auto& { return of.gaps_epoch; }), {{"gap", "epoch"}});
  families.Counter("msab_resumes_gap_total", gaps,
                   sum([](const auto& of) -> auto& { return of.gaps_expired; }),
                   {{"gap", "expired"}});
  for (size_t i = 0; i < kCauses.size(); ++i) {
    families.Counter("msab_connections_closed_total", "WebSocket connections ended, by cause.",
                     sum([i](const auto& of) -> auto& { return of.closed[i]; }),
                     {{"cause", kCauses[i]}});
  }
  for (size_t i = 0; i < kRefusals.size(); ++i) {
    families.Counter("msab_upgrades_refused_total", "Requests at the public door without upgrade.",
                     sum([i](const auto& of) -> auto& { return of.refused[i]; }),
                     {{"reason", kRefusals[i]}});
  }
  for (size_t i = 0; i < shards.size(); ++i) {
    families.Gauge("msab_shard_inbox_items", "Items waiting in a shard's inbox.",
                   static_cast<double>(shards[i].inbox->size()), {{"shard", absl::StrCat(i)}});
  }
}

}  // namespace msab
