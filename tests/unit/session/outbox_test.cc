#include "server/session/outbox.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/entries.h"

namespace msab::test {
namespace {

std::string BytesOf(const Frame& frame) {
  return {reinterpret_cast<const char*>(frame.data()), frame.size()};
}

// Everything that waits, as the socket would get it, gathered a few parts at a time.
std::string Waiting(const Outbox& outbox, int max = 1024) {
  std::vector<iovec> parts(static_cast<size_t>(max));
  const int n = outbox.Gather(parts.data(), max);
  std::string bytes;
  for (int i = 0; i < n; ++i) {
    EXPECT_GT(parts[i].iov_len, 0u);
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return bytes;
}

FramePtr Data(std::string_view text) { return Frame::Text({text}); }
FramePtr Fleeting(std::string_view text) {
  return Frame::Event({text}, Ephemeral(Target::User(1)));
}

TEST(Outbox, GivesFramesInOrder) {
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  outbox.Push(Data("one"));
  outbox.Push(Data("two"));
  EXPECT_FALSE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 10u);
  EXPECT_EQ(Waiting(outbox), "\x81\x03one\x81\x03two");
  EXPECT_EQ(Waiting(outbox, 1), "\x81\x03one");
}

TEST(Outbox, GoesOnWhereAPartialWriteEnded) {
  Outbox outbox;
  outbox.Push(Data("one"));
  outbox.Push(Data("two"));
  outbox.Consume(3);
  EXPECT_EQ(outbox.bytes(), 7u);
  EXPECT_EQ(Waiting(outbox), "ne\x81\x03two");
  outbox.Consume(2);
  EXPECT_EQ(Waiting(outbox), "\x81\x03two");
  outbox.Consume(5);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(Waiting(outbox), "");
}

TEST(Outbox, ReplacesTheWaitingStateOfTheSameRecipient) {
  Outbox outbox;
  const EntryPtr older = Latest(Target::User(1), 10, {1});
  const EntryPtr newer = Latest(Target::User(1), 10, {1, 2});
  outbox.Push(Data("a"));
  outbox.Push(Frame::Event({"older"}, older));
  outbox.Push(Data("b"));
  outbox.RemoveReplaced(*newer);
  outbox.Push(Frame::Event({"newer"}, newer));
  // The newer one stands at its own place, so that cursors ascend.
  EXPECT_EQ(Waiting(outbox),
            "\x81\x01"
            "a"
            "\x81\x01"
            "b"
            "\x81\x05newer");
  EXPECT_EQ(outbox.bytes(), 13u);
}

TEST(Outbox, KeepsStateThatTheNewerDoesNotReplace) {
  const EntryPtr kept = Latest(Target::User(1), 10, {1, 2});
  for (const EntryPtr& other : {
           EntryPtr(Latest(Target::User(1), 9, {1, 2})),            // true earlier
           EntryPtr(Latest(Target::User(1), 11, {1})),              // says less
           EntryPtr(Latest(Target::User(1), 11, {1, 2}, "other")),  // of something else
       }) {
    Outbox outbox;
    outbox.Push(Frame::Event({"kept"}, kept));
    outbox.RemoveReplaced(*other);
    EXPECT_EQ(outbox.bytes(), 6u);
  }
}

// One session gets states of several recipients: its user's and its rooms'.
TEST(Outbox, KeepsTheStateOfAnotherRecipient) {
  const std::vector<Target> targets = {Target::User(1),
                                       Target::Room("a"),
                                       Target::Room("b"),
                                       Target::UserInRoom(1, "a"),
                                       Target::UserInRoom(1, "b"),
                                       Target::Everyone()};
  for (const Target& of : targets) {
    for (const Target& by : targets) {
      Outbox outbox;
      outbox.Push(Frame::Event({"x"}, Latest(of, 10)));
      outbox.RemoveReplaced(*Latest(by, 11));
      EXPECT_EQ(outbox.empty(), of == by);
    }
  }
}

// Several users named at once are as many recipients; this session's user is in both lists.
TEST(Outbox, ReplacesStateForSeveralUsers) {
  Outbox outbox;
  outbox.Push(Frame::Event({"x"}, Latest(Target::Users({1, 2}), 10)));
  outbox.RemoveReplaced(*Latest(Target::Users({3, 1}), 11));
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, KeepsStateWhoseFrameIsBegun) {
  Outbox outbox;
  outbox.Push(Frame::Event({"older"}, Latest(Target::User(1), 10)));
  outbox.Consume(1);
  outbox.RemoveReplaced(*Latest(Target::User(1), 11));
  EXPECT_EQ(Waiting(outbox), "\x05older");
}

TEST(Outbox, DropsEphemeralFramesButNotABegunOne) {
  Outbox outbox;
  outbox.Push(Fleeting("a"));
  outbox.Push(Data("b"));
  outbox.Push(Fleeting("c"));
  outbox.Push(Fleeting("d"));
  outbox.Consume(2);
  EXPECT_EQ(outbox.DropEphemeral(), 2u);
  EXPECT_EQ(Waiting(outbox),
            "a\x81\x01"
            "b");
  EXPECT_EQ(outbox.DropEphemeral(), 0u);
}

TEST(Outbox, DropsEverythingUnbegun) {
  Outbox outbox;
  outbox.Push(Data("a"));
  outbox.Push(Data("b"));
  outbox.DropUnbegun();
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(Waiting(outbox), "");

  outbox.Push(Data("c"));
  outbox.Push(Data("d"));
  outbox.Consume(3);
  outbox.Push(Frame::Event({"e"}, Latest(Target::User(1), 10)));
  outbox.Consume(1);
  outbox.DropUnbegun();
  EXPECT_EQ(Waiting(outbox),
            "\x01"
            "d");
  outbox.Push(Data("f"));
  EXPECT_EQ(Waiting(outbox),
            "\x01"
            "d\x81\x01"
            "f");
}

// A client that reads nothing while a state of its changes all the time: what waits is one frame,
// and so is the memory.
TEST(Outbox, HoldsNoRoomForFramesTakenOut) {
  Outbox outbox;
  outbox.Push(Data("stuck"));
  outbox.Consume(1);
  for (int i = 0; i < 100'000; ++i) {
    const EntryPtr state = Latest(Target::User(1), i);
    outbox.RemoveReplaced(*state);
    outbox.Push(Frame::Event({"s"}, state));
    outbox.Push(Fleeting("e"));
    ASSERT_EQ(outbox.DropEphemeral(), 1u);
  }
  EXPECT_EQ(outbox.bytes(), 6u + 3u);
  EXPECT_LT(outbox.room(), 1000u);
}

TEST(Outbox, GivesBackTheRoomOfABurstAtRest) {
  Outbox outbox;
  for (int i = 0; i < 1000; ++i) outbox.Push(Data("x"));
  outbox.Rest();
  EXPECT_EQ(outbox.bytes(), 3000u);
  outbox.Consume(3000);
  EXPECT_GE(outbox.room(), 1000u);
  outbox.Rest();
  EXPECT_LE(outbox.room(), 2u);
}

// The outbox against a list of byte strings, through whatever may happen in whatever order.
class Model {
 public:
  struct Item {
    FramePtr frame;
    std::string rest;
    EntryPtr latest;
    bool begun = false;
  };

  void Push(FramePtr frame, EntryPtr latest) {
    std::string bytes = BytesOf(*frame);
    items_.push_back({std::move(frame), std::move(bytes), std::move(latest)});
  }
  void RemoveReplaced(const Entry& newer) {
    std::erase_if(items_, [&](const Item& item) {
      return !item.begun && item.latest != nullptr && Replaces(newer, *item.latest);
    });
  }
  size_t DropEphemeral() {
    return std::erase_if(items_, [](const Item& item) {
      return !item.begun && item.frame->kind() == Frame::Kind::kEphemeral;
    });
  }
  void DropUnbegun() {
    std::erase_if(items_, [](const Item& item) { return !item.begun; });
  }
  void Consume(size_t n) {
    while (n > 0) {
      Item& front = items_.front();
      const size_t taken = std::min(n, front.rest.size());
      front.rest.erase(0, taken);
      front.begun = true;
      n -= taken;
      if (front.rest.empty()) items_.pop_front();
    }
  }
  std::string Bytes() const {
    std::string bytes;
    for (const Item& item : items_) bytes += item.rest;
    return bytes;
  }

 private:
  std::deque<Item> items_;
};

class OutboxModelTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(OutboxModelTest, BehavesLikeAListOfBytes) {
  std::mt19937 random(GetParam());
  const auto below = [&random](uint32_t n) { return static_cast<int>(random() % n); };
  Outbox outbox;
  Model model;
  int made = 0;
  for (int step = 0; step < 4000; ++step) {
    // Now and then the socket is stuck for a while, so that the outbox grows long.
    const bool stuck = (step / 200) % 3 == 1;
    const int what = below(100);
    if (what < 45) {
      const std::string text = std::to_string(made++) + std::string(below(8) == 0 ? 200 : 1, '.');
      EntryPtr latest;
      FramePtr frame;
      switch (below(5)) {
        case 0:
          latest = Latest(Target::User(1), below(50), {static_cast<uint64_t>(below(2))},
                          below(2) == 0 ? "a" : "b");
          outbox.RemoveReplaced(*latest);
          model.RemoveReplaced(*latest);
          frame = Frame::Event({text}, latest);
          break;
        case 1:
          frame = Fleeting(text);
          break;
        case 2:
          frame = Frame::Ping();
          break;
        default:
          frame = Data(text);
      }
      model.Push(frame, latest);
      outbox.Push(std::move(frame));
    } else if (what < 93) {
      const std::string waiting = Waiting(outbox, 1 + below(40));
      if (!waiting.empty() && !stuck) {
        const size_t n = 1 + random() % waiting.size();
        outbox.Consume(n);
        model.Consume(n);
      }
    } else if (what < 96) {
      ASSERT_EQ(outbox.DropEphemeral(), model.DropEphemeral());
    } else if (what < 99) {
      outbox.Rest();
    } else {
      outbox.DropUnbegun();
      model.DropUnbegun();
    }
    const std::string expected = model.Bytes();
    ASSERT_EQ(outbox.bytes(), expected.size()) << "step " << step;
    ASSERT_EQ(outbox.empty(), expected.empty()) << "step " << step;
    ASSERT_EQ(Waiting(outbox), expected) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, OutboxModelTest, ::testing::Range(1u, 13u));

}  // namespace
}  // namespace msab::test
