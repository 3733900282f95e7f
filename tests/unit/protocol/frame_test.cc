#include "server/protocol/frame.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/entries.h"

namespace msab::test {
namespace {

std::vector<uint8_t> Header(const Frame& frame) {
  return {frame.data(), frame.data() + (frame.size() - frame.text().size())};
}

// RFC 6455 §5.2: FIN and opcode 1; no mask; the length in the fewest bytes that hold it.
TEST(Frame, WritesTheShortestHeaderThatHoldsTheLength) {
  const auto header_of = [](size_t size) {
    const FramePtr frame = Frame::Text({std::string(size, 'x')});
    EXPECT_EQ(frame->text(), std::string(size, 'x'));
    return Header(*frame);
  };
  EXPECT_EQ(header_of(0), (std::vector<uint8_t>{0x81, 0}));
  EXPECT_EQ(header_of(1), (std::vector<uint8_t>{0x81, 1}));
  EXPECT_EQ(header_of(125), (std::vector<uint8_t>{0x81, 125}));
  EXPECT_EQ(header_of(126), (std::vector<uint8_t>{0x81, 126, 0, 126}));
  EXPECT_EQ(header_of(0xffff), (std::vector<uint8_t>{0x81, 126, 0xff, 0xff}));
  EXPECT_EQ(header_of(0x10000), (std::vector<uint8_t>{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST(Frame, JoinsItsPartsInOrder) {
  const FramePtr frame = Frame::Text({"a", "", "bc", std::string_view(), "d"});
  EXPECT_EQ(frame->text(), "abcd");
  EXPECT_EQ(frame->size(), 6u);
  EXPECT_EQ(frame->kind(), Frame::Kind::kData);
  EXPECT_EQ(frame->latest(), nullptr);
}

TEST(Frame, KnowsWhatAnOutboxMayDoWithAnEvent) {
  const EntryPtr durable = Durable(Target::User(1));
  const EntryPtr latest = Latest(Target::User(1), 5);
  const EntryPtr ephemeral = Ephemeral(Target::User(1));

  EXPECT_EQ(Frame::Event({"x"}, durable)->kind(), Frame::Kind::kData);
  EXPECT_EQ(Frame::Event({"x"}, durable)->latest(), nullptr);
  EXPECT_EQ(Frame::Event({"x"}, latest)->kind(), Frame::Kind::kData);
  EXPECT_EQ(Frame::Event({"x"}, latest)->latest(), latest.get());
  EXPECT_EQ(Frame::Event({"x"}, ephemeral)->kind(), Frame::Kind::kEphemeral);
  EXPECT_EQ(Frame::Event({"x"}, ephemeral)->latest(), nullptr);
}

TEST(Frame, PingsWithoutPayload) {
  const FramePtr ping = Frame::Ping();
  ASSERT_EQ(ping->size(), 2u);
  EXPECT_EQ(ping->data()[0], 0x89);
  EXPECT_EQ(ping->data()[1], 0);
  EXPECT_EQ(ping->kind(), Frame::Kind::kControl);
}

TEST(Frame, TakesRawBytesAsTheyAre) {
  uint8_t* data = nullptr;
  const FramePtr raw = Frame::Raw(3, &data);
  data[0] = 0x88;
  data[1] = 1;
  data[2] = 0;
  EXPECT_EQ(std::vector<uint8_t>(raw->data(), raw->data() + raw->size()),
            (std::vector<uint8_t>{0x88, 1, 0}));
  EXPECT_EQ(raw->kind(), Frame::Kind::kControl);
}

// The entry is seen through a weak pointer: it lives as long as the last holder of its frame.
TEST(Frame, LivesAsLongAsItIsShared) {
  std::shared_ptr<const Entry> entry = Latest(Target::User(1), 5);
  const std::weak_ptr<const Entry> watched = entry;
  FramePtr first = Frame::Event({"x"}, entry);
  entry.reset();
  FramePtr second = first;
  FramePtr third;
  third = second;
  first = FramePtr();
  second = std::move(third);
  third = second;
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(second.get(), third.get());
  second = FramePtr();
  EXPECT_FALSE(watched.expired());
  third = FramePtr();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace msab::test
