#ifndef MSAB_TESTS_SUPPORT_LONELY_COMMANDS_H_
#define MSAB_TESTS_SUPPORT_LONELY_COMMANDS_H_

#include "server/rooms/commands.h"
#include "server/rooms/gift_gateway.h"
#include "server/rooms/room_authorizer.h"
#include "tests/support/direct_intake.h"

namespace msab::test {

// The clients' commands in a house that no application is connected to.
class LonelyCommands {
 public:
  LonelyCommands(const Catalog& catalog, const Clock& clock, Dispatcher& dispatcher,
                 Commands::Options options)
      : intake_(catalog, clock, dispatcher),
        authorizer_(clock, nullptr, {}),
        commands_({catalog, clock, dispatcher, intake_, gifts_, authorizer_}, options) {}

  Commands& operator*() { return commands_; }

 private:
  DirectIntake intake_;
  NoGiftGateway gifts_;
  RoomAuthorizer authorizer_;
  Commands commands_;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_SUPPORT_LONELY_COMMANDS_H_
