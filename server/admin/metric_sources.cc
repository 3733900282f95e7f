#include "server/admin/metric_sources.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/logging.h"
#include "server/ingress/refusal.h"

namespace msab {
namespace {

// Codes that an emit is refused with. They are shown from the start: Prometheus sees no increase in
// a series that begins with its first refusals.
bool IsUsual(int code) {
  switch (static_cast<absl::StatusCode>(code)) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnauthenticated:
      return true;
    default:
      return false;
  }
}

}  // namespace

void CollectBuild(const Catalog& catalog, MetricFamilies& families) {
  families.Gauge("msab_build_info", "Always 1; which version runs, and with which contract.", 1,
                 {{"version", MSAB_VERSION}, {"contract", catalog.version()}});
  families.Counter("msab_log_lines_dropped_total", "Log lines lost because stderr was too slow.",
                   static_cast<double>(DroppedLogLines()));
}

void CollectEmitter(const Emitter& emitter, MetricFamilies& families) {
  const Emitter::Stats& stats = emitter.stats();
  for (const EventType* type : emitter.catalog().types()) {
    families.Counter("msab_emits_accepted_total", "Events accepted, duplicates not counted.",
                     stats.accepted[type->index].Value(), {{"event", type->name}});
  }
  for (int code = 1; code < kRpcCodes; ++code) {
    const auto refused = stats.refused[code].Value();
    if (refused == 0 && !IsUsual(code)) continue;
    families.Counter("msab_emits_refused_total", "Emits, and whole calls, refused.", refused,
                     {{"code", CodeName(code)}});
  }
  families.Counter("msab_emits_duplicate_total", "Emits of an event_id that was accepted before.",
                   stats.duplicates.Value());
  families.Counter("msab_emits_superseded_total",
                   "Accepted LATEST events that a later state had already replaced.",
                   stats.superseded.Value());
  families.Counter("msab_emits_expired_total", "Accepted events that were past their ttl.",
                   stats.expired.Value());
  families.Counter("msab_emits_unreached_total",
                   "Accepted events that no connection was there to get.", stats.unreached.Value());
  families.Gauge("msab_emits_in_flight", "Calls and stream messages being worked on.",
                 emitter.in_flight());
  families.Gauge("msab_idempotency_entries", "Event ids remembered.", emitter.remembered_ids());
}

void CollectEventService(const EventService& service, MetricFamilies& families) {
  families.Gauge("msab_emit_streams", "EmitEventStream calls open.", service.open_streams());
}

void CollectDispatcher(const Dispatcher& dispatcher, MetricFamilies& families) {
  const Dispatcher::Stats stats = dispatcher.stats();
  families.Gauge("msab_registered_connections", "Authenticated connections.", stats.connections);
  families.Gauge("msab_users_online", "Users with at least one connection.", stats.users);
  families.Gauge("msab_rooms", "Rooms with at least one participant.", stats.rooms);
  families.Gauge("msab_appends_in_flight", "Events that the log has not answered for yet.",
                 stats.appends_in_flight);
  families.Gauge("msab_log_head", "Number of the last event handed to the shards.",
                 static_cast<double>(dispatcher.Head()));
  families.Gauge("msab_draining", "1 while the relay drains.", dispatcher.draining() ? 1 : 0);
}

void CollectLog(const EventLog& log, MetricFamilies& families) {
  const EventLog::Usage usage = log.usage();
  families.Gauge("msab_log_entries", "Events kept for replay.", usage.entries);
  families.Gauge("msab_log_bytes", "Memory of the events kept, index included.", usage.bytes);
  families.Gauge("msab_log_audiences", "Users and rooms that the log's index remembers.",
                 usage.audiences);
  families.Counter("msab_log_evicted_total", "Events dropped from history by a bound.",
                   static_cast<double>(usage.evicted));
}

void CollectResumes(const ResumeStore& resumes, MetricFamilies& families) {
  const ResumeStore::Usage usage = resumes.usage();
  const std::string sessions = "Socket.IO sessions remembered, by whether they are connected.";
  families.Gauge("msab_resume_sessions", sessions, static_cast<double>(usage.held),
                 {{"state", "connected"}});
  families.Gauge("msab_resume_sessions", sessions, static_cast<double>(usage.released),
                 {{"state", "lost"}});
  families.Gauge("msab_resume_bytes", "Memory of the sessions remembered.",
                 static_cast<double>(usage.bytes));
  families.Counter("msab_resume_evicted_total", "Lost sessions forgotten early, by a bound.",
                   static_cast<double>(usage.evicted));
  families.Counter("msab_resume_refused_total", "Sessions not remembered: all room was taken.",
                   static_cast<double>(usage.refused));
}

void CollectCommands(const CommandCounters& commands, MetricFamilies& families) {
  for (size_t command = 0; command < CommandCounters::kCommands.size(); ++command) {
    for (size_t outcome = 0; outcome < CommandCounters::kOutcomes.size(); ++outcome) {
      const int64_t count = commands.Value(command, outcome);
      if (count == 0) continue;
      families.Counter("msab_commands_answered_total",
                       "Client commands answered, by name and outcome.", static_cast<double>(count),
                       {{"command", std::string(CommandCounters::kCommands[command])},
                        {"outcome", std::string(CommandCounters::kOutcomes[outcome])}});
    }
  }
}

void CollectHttp(const HttpServer& server, MetricFamilies& families) {
  const HttpServer::Stats& stats = server.stats();
  families.Gauge("msab_http_connections", "Connections open on the internal port.",
                 stats.connections.Value());
  families.Counter("msab_http_connections_refused_total",
                   "Connections to the internal port over its limit.",
                   stats.refused_connections.Value());
  families.Counter("msab_http_accept_failures_total",
                   "Times the internal port was out of descriptors or memory.",
                   stats.accept_failures.Value());
  for (size_t status = 0; status < stats.by_status.size(); ++status) {
    const auto answers = stats.by_status[status].Value();
    if (answers == 0) continue;
    families.Counter("msab_http_responses_total", "Answers on the internal port.", answers,
                     {{"status", absl::StrCat(status)}});
  }
}

}  // namespace msab
