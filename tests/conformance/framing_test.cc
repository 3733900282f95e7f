// RFC 6455, 5.2 to 5.5: lengths, masks, reserved bits and opcodes, control frames, fragments.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/conformance/conformance_test.h"

namespace msab::conformance {
namespace {

class FramingTest : public ConformanceTest {};

// ---- Lengths (5.2) ----

class LengthTest : public ConformanceTest, public testing::WithParamInterface<size_t> {};

TEST_P(LengthTest, TextOfThisSizeIsAnswered) {
  const size_t bare = Peer::Command(7).size();
  const std::string command = Peer::Command(7, std::string(GetParam() - bare, 'x'));
  ASSERT_EQ(command.size(), GetParam());
  Peer whole(*relay_);
  whole.Send({.payload = command});
  EXPECT_EQ(whole.NextText(), Peer::Reply(7));
  Peer slow(*relay_);
  const std::string bytes = Encode({.payload = command});
  slow.SendByteByByte(bytes.substr(0, 20));
  slow.SendBytes(bytes.substr(20));
  EXPECT_EQ(slow.NextText(), Peer::Reply(7));
}

INSTANTIATE_TEST_SUITE_P(Sizes, LengthTest,
                         testing::Values(64, 124, 125, 126, 127, 128, 255, 256, 1'000, 16'383,
                                         16'384));

TEST_F(FramingTest, MoreThanTheLimitIsTooBig) {
  const std::string text(16'385, 'x');
  ExpectFailed(Encode({.payload = text}), kTooBig);
  // Refused by its announcement, without waiting for what it claims.
  ExpectFailed(Encode({.length = Length::kIn64Bits, .claimed = 1ULL << 40}), kTooBig);
  ExpectFailed(Encode({.claimed = 65'535}), kTooBig);
}

TEST_F(FramingTest, MoreThanTheLimitInFragmentsIsTooBig) {
  const std::string half(10'000, 'x');
  ExpectFailed(
      Encode({.payload = half, .fin = false}) + Encode({.opcode = kContinuation, .payload = half}),
      kTooBig);
}

TEST_F(FramingTest, ALengthMustBeTheShortest) {
  ExpectFailed(Encode({.payload = Peer::Command(1), .length = Length::kIn16Bits}), kProtocolError);
  ExpectFailed(Encode({.payload = Peer::Command(1), .length = Length::kIn64Bits}), kProtocolError);
  ExpectFailed(Encode({.payload = std::string(200, ' '), .length = Length::kIn64Bits}),
               kProtocolError);
  ExpectFailed(Encode({.opcode = kPing, .payload = "x", .length = Length::kIn16Bits}),
               kProtocolError);
}

TEST_F(FramingTest, ALengthsTopBitIsZero) {
  Peer peer(*relay_);
  peer.SendBytes(Encode({.length = Length::kIn64Bits, .claimed = 1ULL << 63}));
  const Ending ending = peer.End();
  EXPECT_TRUE(ending.close_code == kProtocolError || ending.close_code == kTooBig)
      << ending.close_code;
}

// ---- Masks (5.1, 5.3) ----

TEST_F(FramingTest, AClientMustMask) {
  ExpectFailed(Encode({.payload = Peer::Command(1), .masked = false}), kProtocolError);
  ExpectFailed(Encode({.opcode = kPing, .masked = false}), kProtocolError);
  ExpectFailed(Encode({.opcode = kClose, .payload = CloseBody(1000), .masked = false}),
               kProtocolError);
}

TEST_F(FramingTest, EveryMaskIsTakenOff) {
  Peer peer(*relay_);
  int id = 1;
  for (const uint32_t mask : {0x00000000U, 0xffffffffU, 0x00ff00ffU, 0x01020304U, 0x80000001U}) {
    peer.Send({.payload = Peer::Command(id, "padding"), .mask = mask});
    EXPECT_EQ(peer.NextText(), Peer::Reply(id)) << std::hex << mask;
    ++id;
  }
}

// ---- Reserved bits and opcodes (5.2) ----

TEST_F(FramingTest, ReservedBitsAreRefusedOnEveryFrame) {
  for (uint8_t reserved = 1; reserved < 8; ++reserved) {
    SCOPED_TRACE(static_cast<int>(reserved));
    ExpectFailed(Encode({.payload = Peer::Command(1), .reserved = reserved}), kProtocolError);
    ExpectFailed(Encode({.opcode = kBinary, .payload = "x", .reserved = reserved}), kProtocolError);
    ExpectFailed(Encode({.opcode = kPing, .payload = "x", .reserved = reserved}), kProtocolError);
    ExpectFailed(Encode({.opcode = kClose, .payload = CloseBody(1000), .reserved = reserved}),
                 kProtocolError);
  }
}

TEST_F(FramingTest, WhatCameBeforeTheFaultIsAnswered) {
  Peer peer(*relay_);
  peer.SendBytes(Encode({.payload = Peer::Command(1)}) + Encode({.opcode = kPing, .payload = "p"}) +
                 Encode({.payload = Peer::Command(2), .reserved = 4}));
  bool replied = false;
  bool ponged = false;
  int code = -1;
  while (const auto frame = peer.Next()) {
    replied |= frame->opcode == kText && frame->payload == Peer::Reply(1);
    ponged |= frame->opcode == kPong && frame->payload == "p";
    EXPECT_NE(frame->payload, Peer::Reply(2));
    if (frame->opcode == kClose)
      code = static_cast<uint8_t>(frame->payload[0]) << 8 | static_cast<uint8_t>(frame->payload[1]);
  }
  EXPECT_TRUE(replied);
  EXPECT_TRUE(ponged);
  EXPECT_EQ(code, kProtocolError);
}

TEST_F(FramingTest, ReservedOpcodesAreRefused) {
  for (const int opcode : {0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
    SCOPED_TRACE(opcode);
    ExpectFailed(Encode({.opcode = static_cast<uint8_t>(opcode)}), kProtocolError);
    ExpectFailed(Encode({.opcode = static_cast<uint8_t>(opcode), .payload = "and a payload"}),
                 kProtocolError);
  }
}

TEST_F(FramingTest, BinaryIsWellFormedButNotOurs) {
  ExpectFailed(Encode({.opcode = kBinary, .payload = Peer::Command(1)}), kNotOurs);
  ExpectFailed(Encode({.opcode = kBinary}), kNotOurs);
  ExpectFailed(Encode({.opcode = kBinary, .payload = "\xff", .fin = false}) +
                   Encode({.opcode = kContinuation, .payload = "\xfe"}),
               kNotOurs);
}

// ---- Pings and pongs (5.5.2, 5.5.3) ----

TEST_F(FramingTest, APingIsAnsweredWithItsPayload) {
  Peer peer(*relay_);
  for (const std::string& payload : {std::string(), std::string("Hello"),
                                     std::string("\x00\xff\xfe\x80", 4), std::string(125, 'p')}) {
    peer.Send({.opcode = kPing, .payload = payload});
    EXPECT_EQ(peer.NextPong(), payload);
  }
  peer.SendByteByByte(Encode({.opcode = kPing, .payload = std::string(125, 'q')}));
  EXPECT_EQ(peer.NextPong(), std::string(125, 'q'));
  EXPECT_TRUE(peer.Alive());
}

TEST_F(FramingTest, ALongPingIsRefused) {
  ExpectFailed(Encode({.opcode = kPing, .payload = std::string(126, 'p')}), kProtocolError);
  ExpectFailed(Encode({.opcode = kPong, .payload = std::string(126, 'p')}), kProtocolError);
}

TEST_F(FramingTest, AnUnaskedPongIsIgnored) {
  Peer peer(*relay_);
  peer.Send({.opcode = kPong});
  peer.Send({.opcode = kPong, .payload = "unasked"});
  peer.Send({.opcode = kPing, .payload = "asked"});
  EXPECT_EQ(peer.NextPong(), "asked");
  EXPECT_TRUE(peer.Alive());
}

TEST_F(FramingTest, ManyPingsAreAnsweredInOrder) {
  // A later ping may answer for earlier ones (5.5.3): the pongs are a subsequence with the last.
  Peer peer(*relay_);
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += Encode({.opcode = kPing, .payload = std::to_string(i)});
  peer.SendBytes(bytes);
  int last = -1;
  while (last != 9) {
    const int pong = std::stoi(peer.NextPong());
    ASSERT_GT(pong, last);
    last = pong;
  }
  EXPECT_TRUE(peer.Alive());
}

// ---- Fragments (5.4) ----

class FragmentTest : public ConformanceTest, public testing::WithParamInterface<size_t> {};

TEST_P(FragmentTest, AMessageInPiecesIsOneMessage) {
  const std::string command = Peer::Command(3, "ü and 🎁");
  std::string bytes;
  for (size_t at = 0; at < command.size(); at += GetParam()) {
    bytes += Encode({.opcode = at == 0 ? kText : kContinuation,
                     .payload = command.substr(at, GetParam()),
                     .fin = at + GetParam() >= command.size()});
  }
  Peer peer(*relay_);
  peer.SendBytes(bytes);
  EXPECT_EQ(peer.NextText(), Peer::Reply(3));
  peer.SendByteByByte(bytes);
  EXPECT_EQ(peer.NextText(), Peer::Reply(3));
}

INSTANTIATE_TEST_SUITE_P(PieceSizes, FragmentTest, testing::Values(1, 2, 3, 7, 40));

TEST_F(FramingTest, EmptyFragmentsAreFragments) {
  Peer peer(*relay_);
  peer.Send({.fin = false});
  peer.Send({.opcode = kContinuation, .payload = Peer::Command(4), .fin = false});
  peer.Send({.opcode = kContinuation, .fin = false});
  peer.Send({.opcode = kContinuation});
  EXPECT_EQ(peer.NextText(), Peer::Reply(4));
}

TEST_F(FramingTest, ControlFramesMayComeBetweenFragments) {
  Peer peer(*relay_);
  const std::string command = Peer::Command(5);
  peer.Send({.payload = command.substr(0, 5), .fin = false});
  peer.Send({.opcode = kPing, .payload = "between"});
  EXPECT_EQ(peer.NextPong(), "between");
  peer.Send({.opcode = kPong, .payload = "ignored"});
  peer.Send({.opcode = kContinuation, .payload = command.substr(5, 3), .fin = false});
  peer.Send({.opcode = kPing, .payload = "again"});
  EXPECT_EQ(peer.NextPong(), "again");
  peer.Send({.opcode = kContinuation, .payload = command.substr(8)});
  EXPECT_EQ(peer.NextText(), Peer::Reply(5));
}

TEST_F(FramingTest, ControlFramesAreNotFragmented) {
  ExpectFailed(Encode({.opcode = kPing, .payload = "p", .fin = false}), kProtocolError);
  ExpectFailed(Encode({.opcode = kPong, .payload = "p", .fin = false}), kProtocolError);
  ExpectFailed(Encode({.opcode = kClose, .payload = CloseBody(1000), .fin = false}),
               kProtocolError);
}

TEST_F(FramingTest, AContinuationContinuesSomething) {
  ExpectFailed(Encode({.opcode = kContinuation, .payload = Peer::Command(1)}), kProtocolError);
  ExpectFailed(Encode({.opcode = kContinuation, .payload = "x", .fin = false}), kProtocolError);
  // Nor after a message that is over.
  Peer peer(*relay_);
  peer.Send({.payload = Peer::Command(6)});
  EXPECT_EQ(peer.NextText(), Peer::Reply(6));
  peer.Send({.opcode = kContinuation, .payload = "x"});
  EXPECT_EQ(peer.End().close_code, kProtocolError);
}

TEST_F(FramingTest, AMessageBeginsOnlyAfterTheLastEnded) {
  ExpectFailed(Encode({.payload = "{", .fin = false}) + Encode({.payload = Peer::Command(1)}),
               kProtocolError);
  ExpectFailed(Encode({.payload = "{", .fin = false}) +
                   Encode({.opcode = kBinary, .payload = "x", .fin = false}),
               kProtocolError);
}

TEST_F(FramingTest, ManyMessagesInOneSegmentAreAllAnswered) {
  std::string bytes;
  for (int id = 1; id <= 200; ++id) bytes += Encode({.payload = Peer::Command(id)});
  Peer peer(*relay_);
  peer.SendBytes(bytes);
  for (int id = 1; id <= 200; ++id) EXPECT_EQ(peer.NextText(), Peer::Reply(id));
}

TEST_F(FramingTest, ACutConnectionInMidFrameIsNoTrouble) {
  const std::string bytes = Encode({.payload = Peer::Command(1, std::string(200, 'x'))});
  for (size_t cut = 1; cut < 20; ++cut) {
    Peer peer(*relay_);
    peer.SendBytes(bytes.substr(0, cut));
    if (cut % 2 == 0) {
      peer.socket().Reset();
    } else {
      peer.socket().FinishSending();
      EXPECT_TRUE(peer.socket().ReadToEnd());
    }
  }
  EXPECT_TRUE(Peer(*relay_).Alive());
}

}  // namespace
}  // namespace msab::conformance
