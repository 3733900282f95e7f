#ifndef MSAB_TESTS_UNIT_SESSION_SOCKETIO_SESSION_FIXTURE_H_
#define MSAB_TESTS_UNIT_SESSION_SOCKETIO_SESSION_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/protocol/socketio_dialect.h"
#include "tests/unit/session/session_fixture.h"

namespace msab::test {

// A session whose client speaks Socket.IO.
class SocketIoSessionTest : public SessionTest {
 protected:
  // Upgraded, with Engine.IO's open packet read away.
  void Upgrade(bool origin_allowed = true) {
    session().Open(socketio_, {{}, origin_allowed});
    EXPECT_THAT(Texts(), ::testing::ElementsAre(::testing::StartsWith("0{")));
  }
  void Connect(const std::string& more = "", UserId user = 1) {
    Say(absl::StrCat(R"(40{"token":")", Token(user), "\"", more, "}"));
    host_.RunPosted();
  }
  // Connected, with the answer read away; what it told is kept.
  void Enter(const std::string& more = "") {
    Upgrade();
    Connect(more);
    Welcomed();
  }
  void Welcomed() {
    const auto texts = Texts();
    ASSERT_THAT(texts, ::testing::SizeIs(1));
    sid_ = Between(texts[0], R"("sid":")");
    pid_ = Between(texts[0], R"("pid":")");
  }
  // The connection is lost, the next one is upgraded.
  void Lose() {
    session().OnLost();
    host_.present = nullptr;
    Accept();
    Upgrade();
  }
  void Back(const std::string& offset = "") {
    Connect(absl::StrCat(R"(,"pid":")", pid_, "\"",
                         offset.empty() ? "" : absl::StrCat(R"(,"offset":")", offset, "\"")));
  }
  std::string Again() const {
    return absl::StrCat(R"(40{"sid":")", sid_, R"(","pid":")", pid_, R"("})");
  }
  static std::string Between(const std::string& text, const std::string& start) {
    const size_t at = text.find(start);
    if (at == text.npos) return "";
    return text.substr(at + start.size(), text.find('"', at + start.size()) - at - start.size());
  }

  const SocketIoDialect socketio_{};
  std::string sid_;
  std::string pid_;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_UNIT_SESSION_SOCKETIO_SESSION_FIXTURE_H_
