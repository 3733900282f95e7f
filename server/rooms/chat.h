#ifndef MSAB_ROOMS_CHAT_H_
#define MSAB_ROOMS_CHAT_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "msab/v1/client.pb.h"
#include "server/base/clock.h"
#include "server/contract/catalog.h"
#include "server/dispatch/command_handler.h"
#include "server/dispatch/dispatcher.h"
#include "server/rooms/chat_dedup.h"
#include "server/rooms/chat_limit.h"

namespace msab {

// chat:message from a client. The answer, with the message's id, precedes the sender's own copy.
// A message sent again under its clientId is answered like the first, costs nothing of the limit
// and is not shown again.
//
// Owned by Commands. Any thread.
class ChatSend {
 public:
  using Data = v1::ChatMessageCommand;

  struct Options {
    size_t per_minute = 60;  // ≥ 1; limits.chat_per_minute
    ChatDedup::Options dedup;
  };

  // All outlive this.
  ChatSend(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher, Options options);

  // Caller's shard thread.
  void Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply);

 private:
  std::shared_ptr<Entry> MakeEntry(const Caller& caller, const Data& data) const;

  // What became of a message under a clientId (nothing: it was not sent): answers who waits for it.
  void Settle(const ChatDedup::Claim& claim, std::optional<std::string> id,
              const CommandResult& result);

  // Constant after construction
  const Catalog& catalog_;
  const Clock& clock_;
  Dispatcher& dispatcher_;

  // Any thread
  ChatLimit limit_;
  ChatDedup dedup_;
};

}  // namespace msab

#endif  // MSAB_ROOMS_CHAT_H_
