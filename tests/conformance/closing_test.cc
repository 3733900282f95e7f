// RFC 6455, 5.5.1 and 7: the closing handshake, its codes and its reason.
#include <gtest/gtest.h>

#include "tests/conformance/conformance_test.h"

namespace msab::conformance {
namespace {

class ClosingTest : public ConformanceTest {
 protected:
  static Ending CloseWith(const std::string& body) {
    Peer peer(*relay_);
    peer.Send({.opcode = kClose, .payload = body});
    return peer.End();
  }
};

TEST_F(ClosingTest, ACloseIsAnsweredAndTheServerEndsTheConnection) {
  const Ending ending = CloseWith(CloseBody(1000));
  EXPECT_EQ(ending.close_code, 1000);
  EXPECT_TRUE(ending.ended);
}

TEST_F(ClosingTest, ACloseWithoutACodeIsAnsweredToo) {
  const Ending ending = CloseWith("");
  EXPECT_TRUE(ending.close_code == 0 || ending.close_code == 1000) << ending.close_code;
  EXPECT_TRUE(ending.ended);
}

class GoodCodeTest : public ClosingTest, public testing::WithParamInterface<uint16_t> {};

TEST_P(GoodCodeTest, IsEchoed) {
  EXPECT_EQ(CloseWith(CloseBody(GetParam())).close_code, GetParam());
  EXPECT_EQ(CloseWith(CloseBody(GetParam(), "with a reason")).close_code, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Codes, GoodCodeTest,
                         testing::Values(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000,
                                         3999, 4000, 4500, 4999));

class BadCodeTest : public ClosingTest, public testing::WithParamInterface<uint16_t> {};

TEST_P(BadCodeTest, IsAProtocolError) {
  EXPECT_EQ(CloseWith(CloseBody(GetParam())).close_code, kProtocolError);
  EXPECT_EQ(CloseWith(CloseBody(GetParam(), "with a reason")).close_code, kProtocolError);
}

INSTANTIATE_TEST_SUITE_P(Codes, BadCodeTest,
                         testing::Values(0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000,
                                         2999));

TEST_F(ClosingTest, ACodePastAllRangesEndsTheConnectionLikeAnyOther) {
  // The RFC gives 5000 and up no meaning: refusing and echoing are both within it.
  for (const uint16_t code : {5000, 65535}) {
    const Ending ending = CloseWith(CloseBody(code));
    EXPECT_TRUE(ending.close_code == kProtocolError || ending.close_code == code)
        << ending.close_code;
    EXPECT_TRUE(ending.ended);
  }
}

TEST_F(ClosingTest, ABodyOfOneByteIsAProtocolError) {
  EXPECT_EQ(CloseWith("x").close_code, kProtocolError);
}

TEST_F(ClosingTest, AReasonHas123BytesAtMost) {
  EXPECT_EQ(CloseWith(CloseBody(1000, std::string(123, 'r'))).close_code, 1000);
  EXPECT_EQ(CloseWith(CloseBody(1000, std::string(124, 'r'))).close_code, kProtocolError);
}

TEST_F(ClosingTest, AReasonIsUtf8) {
  EXPECT_EQ(CloseWith(CloseBody(1000, "κόσμε 🎁")).close_code, 1000);
  for (const std::string reason : {"\xff", "\xed\xa0\x80", "\xc0\xaf", "cut \xf0\x9f\x8e"}) {
    const int code = CloseWith(CloseBody(1000, reason)).close_code;
    EXPECT_TRUE(code == kBadData || code == kProtocolError) << code;
  }
}

TEST_F(ClosingTest, WhatFollowsACloseIsIgnored) {
  Peer peer(*relay_);
  peer.SendBytes(Encode({.opcode = kClose, .payload = CloseBody(1000)}) +
                 Encode({.payload = Peer::Command(1)}) + Encode({.opcode = kPing}) +
                 Encode({.opcode = kClose, .payload = CloseBody(1001)}));
  const auto frame = peer.Next();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->opcode, kClose);
  EXPECT_EQ(frame->payload, CloseBody(1000));
  EXPECT_FALSE(peer.Next().has_value());
}

TEST_F(ClosingTest, WhatWasAskedBeforeIsAnsweredFirst) {
  Peer peer(*relay_);
  peer.SendBytes(Encode({.payload = Peer::Command(1)}) + Encode({.payload = Peer::Command(2)}) +
                 Encode({.opcode = kClose, .payload = CloseBody(1000)}));
  EXPECT_EQ(peer.NextText(), Peer::Reply(1));
  EXPECT_EQ(peer.NextText(), Peer::Reply(2));
  EXPECT_EQ(peer.End().close_code, 1000);
}

TEST_F(ClosingTest, ACloseBetweenFragmentsCounts) {
  Peer peer(*relay_);
  peer.SendBytes(Encode({.payload = "{", .fin = false}) +
                 Encode({.opcode = kClose, .payload = CloseBody(1000)}) +
                 Encode({.opcode = kContinuation, .payload = "}"}));
  EXPECT_EQ(peer.End().close_code, 1000);
}

TEST_F(ClosingTest, AnEndWithoutACloseIsAnEnd) {
  Peer peer(*relay_);
  peer.socket().FinishSending();
  EXPECT_TRUE(peer.End().ended);
}

TEST_F(ClosingTest, TheRelaysOwnCloseWaitsForTheAnswer) {
  Peer peer(*relay_);
  peer.Send({.payload = "not JSON"});
  const auto frame = peer.Next();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->payload, CloseBody(kNotOurs, "protocol error: not JSON"));
  peer.Send({.opcode = kClose, .payload = frame->payload});
  const Ending ending = peer.End();
  EXPECT_EQ(ending.close_code, -1) << "no second close frame";
  EXPECT_TRUE(ending.ended);
}

TEST_F(ClosingTest, WithoutAnAnswerItEndsAllTheSame) {
  Peer peer(*relay_);
  peer.Send({.payload = "not JSON"});
  // Says nothing more, neither close nor FIN.
  const Ending ending = peer.End(false);
  EXPECT_EQ(ending.close_code, kNotOurs);
  EXPECT_TRUE(ending.ended);
}

}  // namespace
}  // namespace msab::conformance
