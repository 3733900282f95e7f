#ifndef MSAB_ROOMS_LEAVE_H_
#define MSAB_ROOMS_LEAVE_H_

#include <memory>

#include "msab/v1/client.pb.h"
#include "server/dispatch/command_handler.h"
#include "server/dispatch/dispatcher.h"

namespace msab {

// room:leave. Harmless where the connection isn't in the room: what was asked for is so.
//
// Owned by Commands. Any thread.
class RoomLeave {
 public:
  using Data = v1::RoomLeaveCommand;

  // `dispatcher` outlives this.
  explicit RoomLeave(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  // Caller's shard thread. No event of the room follows the answer.
  void Run(const std::shared_ptr<Caller>& caller, const Data& data, CommandReply reply);

 private:
  Dispatcher& dispatcher_;  // constant after construction
};

}  // namespace msab

#endif  // MSAB_ROOMS_LEAVE_H_
