#ifndef MSAB_ADMIN_METRIC_SOURCES_H_
#define MSAB_ADMIN_METRIC_SOURCES_H_

#include "absl/types/span.h"
#include "server/admin/metrics.h"
#include "server/contract/catalog.h"
#include "server/dispatch/dispatcher.h"
#include "server/dispatch/inbox.h"
#include "server/http/http_server.h"
#include "server/ingress/emitter.h"
#include "server/ingress/event_service.h"
#include "server/log/event_log.h"
#include "server/log/resume_store.h"
#include "server/rooms/command_counters.h"
#include "server/rooms/room_authorizer.h"
#include "server/session/counters.h"
#include "server/upstream/client.h"

namespace msab {

// What each part of the house tells a scrape. The composition root makes sources of them.

// Which build and contract this is.
void CollectBuild(const Catalog& catalog, MetricFamilies& families);

// CPU, memory and descriptors of the process.
void CollectProcess(MetricFamilies& families);

// Emits by what became of them.
void CollectEmitter(const Emitter& emitter, MetricFamilies& families);
void CollectEventService(const EventService& service, MetricFamilies& families);

// Who is there, and what is on its way.
void CollectDispatcher(const Dispatcher& dispatcher, MetricFamilies& families);

// What is kept, and what was dropped of it.
void CollectLog(const EventLog& log, MetricFamilies& families);

// Sessions that clients may come back to.
void CollectResumes(const ResumeStore& resumes, MetricFamilies& families);

// One shard, as a scrape sees it.
struct ShardView {
  const ShardCounters* counters;
  const Inbox* inbox;
};
// Connections and frames, summed over the shards; their inboxes one by one.
void CollectShards(absl::Span<const ShardView> shards, MetricFamilies& families);

// What clients asked for, and what they were answered.
void CollectCommands(const CommandCounters& commands, MetricFamilies& families);

// Whom the application lets into rooms.
void CollectRooms(const RoomAuthorizer& authorizer, MetricFamilies& families);

// What the application is asked, and how it answers.
void CollectWebhook(const WebhookClient& webhook, MetricFamilies& families);

// The internal port.
void CollectHttp(const HttpServer& server, MetricFamilies& families);

}  // namespace msab

#endif  // MSAB_ADMIN_METRIC_SOURCES_H_
