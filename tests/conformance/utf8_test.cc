// RFC 6455, 8.1 and RFC 3629: text is UTF-8, checked over fragments, failed as soon as possible.
#include <gtest/gtest.h>

#include <ostream>

#include "tests/conformance/conformance_test.h"

namespace msab::conformance {
namespace {

struct Utf8Case {
  const char* title;
  std::string bytes;
};
std::ostream& operator<<(std::ostream& os, const Utf8Case& one) { return os << one.title; }

std::string CommandWith(const std::string& bytes) { return Peer::Command(9, bytes); }

class Utf8Test : public ConformanceTest {};

class GoodUtf8Test : public ConformanceTest, public testing::WithParamInterface<Utf8Case> {};

TEST_P(GoodUtf8Test, IsTakenWholeAndByteByByte) {
  const std::string command = CommandWith(GetParam().bytes);
  Peer peer(*relay_);
  peer.Send({.payload = command});
  EXPECT_EQ(peer.NextText(), Peer::Reply(9));
  std::string pieces;
  for (size_t i = 0; i < command.size(); ++i) {
    pieces += Encode({.opcode = i == 0 ? kText : kContinuation,
                      .payload = command.substr(i, 1),
                      .fin = i + 1 == command.size()});
  }
  peer.SendBytes(pieces);
  EXPECT_EQ(peer.NextText(), Peer::Reply(9));
}

INSTANTIATE_TEST_SUITE_P(
    Sequences, GoodUtf8Test,
    testing::Values(
        Utf8Case{"Greek", "κόσμε"}, Utf8Case{"FirstOfTwo", "\xc2\x80"},
        Utf8Case{"LastOfTwo", "\xdf\xbf"}, Utf8Case{"FirstOfThree", "\xe0\xa0\x80"},
        Utf8Case{"LastOfThree", "\xef\xbf\xbf"}, Utf8Case{"FirstOfFour", "\xf0\x90\x80\x80"},
        Utf8Case{"LastOfFour", "\xf4\x8f\xbf\xbf"}, Utf8Case{"BeforeSurrogates", "\xed\x9f\xbf"},
        Utf8Case{"AfterSurrogates", "\xee\x80\x80"}, Utf8Case{"Replacement", "\xef\xbf\xbd"},
        Utf8Case{"Noncharacter", "\xef\xb7\x90"}, Utf8Case{"Delete", "\x7f"}),
    [](const auto& info) { return info.param.title; });

class BadUtf8Test : public ConformanceTest, public testing::WithParamInterface<Utf8Case> {};

TEST_P(BadUtf8Test, IsRefusedWhole) {
  ExpectFailed(Encode({.payload = CommandWith(GetParam().bytes)}), kBadData);
}

TEST_P(BadUtf8Test, IsRefusedInFragments) {
  const std::string command = CommandWith(GetParam().bytes);
  std::string pieces;
  for (size_t i = 0; i < command.size(); ++i) {
    pieces += Encode({.opcode = i == 0 ? kText : kContinuation,
                      .payload = command.substr(i, 1),
                      .fin = i + 1 == command.size()});
  }
  ExpectFailed(pieces, kBadData);
}

INSTANTIATE_TEST_SUITE_P(
    Sequences, BadUtf8Test,
    testing::Values(
        Utf8Case{"LoneContinuation", "\x80"}, Utf8Case{"LastContinuation", "\xbf"},
        Utf8Case{"TwoContinuations", "\x80\xbf"}, Utf8Case{"CutTwo", "\xc2 "},
        Utf8Case{"CutThree", "\xe2\x82 "}, Utf8Case{"CutFour", "\xf0\x9f\x8e "},
        Utf8Case{"Fe", "\xfe"}, Utf8Case{"Ff", "\xff"}, Utf8Case{"OverlongSlash2", "\xc0\xaf"},
        Utf8Case{"OverlongSlash3", "\xe0\x80\xaf"}, Utf8Case{"OverlongSlash4", "\xf0\x80\x80\xaf"},
        Utf8Case{"OverlongSlash5", "\xf8\x80\x80\x80\xaf"},
        Utf8Case{"OverlongSlash6", "\xfc\x80\x80\x80\x80\xaf"},
        Utf8Case{"OverlongLast2", "\xc1\xbf"}, Utf8Case{"OverlongLast3", "\xe0\x9f\xbf"},
        Utf8Case{"OverlongLast4", "\xf0\x8f\xbf\xbf"},
        Utf8Case{"OverlongNul", std::string("\xc0\x80", 2)},
        Utf8Case{"FirstHighSurrogate", "\xed\xa0\x80"},
        Utf8Case{"LastHighSurrogate", "\xed\xaf\xbf"},
        Utf8Case{"FirstLowSurrogate", "\xed\xb0\x80"}, Utf8Case{"LastLowSurrogate", "\xed\xbf\xbf"},
        Utf8Case{"SurrogatePair", "\xed\xa0\x80\xed\xb0\x80"},
        Utf8Case{"PastTheLast", "\xf4\x90\x80\x80"}, Utf8Case{"FiveBytes", "\xf8\x88\x80\x80\x80"},
        Utf8Case{"SixBytes", "\xfc\x84\x80\x80\x80\x80"},
        Utf8Case{"GreekThenSurrogate", "κόσμε\xed\xa0\x80 edited"}),
    [](const auto& info) { return info.param.title; });

TEST_F(Utf8Test, ACharacterMayBeCutByAFragmentButNotByTheEnd) {
  const std::string command = CommandWith("🎁");
  const size_t inside = command.find('\xf0') + 2;
  Peer peer(*relay_);
  peer.Send({.payload = command.substr(0, inside), .fin = false});
  peer.Send({.opcode = kPing, .payload = "between"});
  EXPECT_EQ(peer.NextPong(), "between");
  peer.Send({.opcode = kContinuation, .payload = command.substr(inside)});
  EXPECT_EQ(peer.NextText(), Peer::Reply(9));
  ExpectFailed(Encode({.payload = command.substr(0, inside)}), kBadData);
}

TEST_F(Utf8Test, IsFailedBeforeTheMessageEnds) {
  // No final fragment ever comes.
  ExpectFailed(Encode({.payload = "{\"x\":\"\xed\xa0\x80", .fin = false}), kBadData);
}

TEST_F(Utf8Test, PingsMayCarryAnyBytes) {
  Peer peer(*relay_);
  peer.Send({.opcode = kPing, .payload = "\xff\xfe\x80"});
  EXPECT_EQ(peer.NextPong(), "\xff\xfe\x80");
}

}  // namespace
}  // namespace msab::conformance
