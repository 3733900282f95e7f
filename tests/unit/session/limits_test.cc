#include "server/session/limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace msab {
namespace {

using Refusal = ConnectionLimits::Refusal;
using Ticket = ConnectionLimits::Ticket;

TEST(ConnectionLimitsTest, CountsUnauthenticatedApart) {
  ConnectionLimits limits({.max_connections = 3, .max_unauthenticated = 2, .max_per_ip = 0});
  Ticket a;
  Ticket b;
  Ticket c;
  Ticket d;
  EXPECT_EQ(limits.Admit(a), Refusal::kNone);
  EXPECT_EQ(limits.Admit(b), Refusal::kNone);
  EXPECT_EQ(limits.Admit(c), Refusal::kUnauthenticated);
  EXPECT_EQ(limits.connections(), 2u);
  a.Authenticated();
  a.Authenticated();
  EXPECT_EQ(limits.unauthenticated(), 1u);
  EXPECT_EQ(limits.Admit(c), Refusal::kNone);
  b.Authenticated();
  EXPECT_EQ(limits.Admit(d), Refusal::kConnections);
  EXPECT_EQ(limits.unauthenticated(), 1u);
  c = Ticket();
  EXPECT_EQ(limits.connections(), 2u);
  EXPECT_EQ(limits.unauthenticated(), 0u);
  EXPECT_EQ(limits.Admit(d), Refusal::kNone);
}

TEST(ConnectionLimitsTest, CountsByAddressAndForgetsThem) {
  ConnectionLimits limits({.max_connections = 0, .max_unauthenticated = 0, .max_per_ip = 2});
  const IpAddress v4 = *IpAddress::Parse("192.0.2.1");
  const IpAddress v6 = *IpAddress::Parse("2001:db8:0:1::1");
  const IpAddress v6_same_network = *IpAddress::Parse("2001:db8:0:1:ffff::2");
  std::vector<Ticket> tickets(6);
  for (Ticket& ticket : tickets) ASSERT_EQ(limits.Admit(ticket), Refusal::kNone);
  EXPECT_EQ(tickets[0].ClaimAddress(v4), Refusal::kNone);
  EXPECT_EQ(tickets[1].ClaimAddress(v4), Refusal::kNone);
  EXPECT_EQ(tickets[2].ClaimAddress(*IpAddress::Parse("::ffff:192.0.2.1")), Refusal::kAddress);
  EXPECT_EQ(tickets[2].ClaimAddress(*IpAddress::Parse("192.0.2.2")), Refusal::kNone);
  EXPECT_EQ(tickets[3].ClaimAddress(v6), Refusal::kNone);
  EXPECT_EQ(tickets[4].ClaimAddress(v6_same_network), Refusal::kNone);
  EXPECT_EQ(tickets[5].ClaimAddress(v6), Refusal::kAddress);
  // A place moves with its ticket and comes back once.
  Ticket moved = std::move(tickets[3]);
  tickets[3] = Ticket();
  EXPECT_EQ(tickets[5].ClaimAddress(v6), Refusal::kAddress);
  moved = Ticket();
  EXPECT_EQ(tickets[5].ClaimAddress(v6), Refusal::kNone);
  tickets.clear();
  EXPECT_EQ(limits.connections(), 0u);
}

// Who is refused has a socket, too, until it is told so.
TEST(ConnectionLimitsTest, CountsSocketsOfTheRefusedToo) {
  ConnectionLimits limits({.max_connections = 1, .max_sockets = 2});
  Ticket a;
  Ticket b;
  EXPECT_EQ(limits.Admit(a), Refusal::kNone);
  EXPECT_FALSE(limits.full());
  EXPECT_EQ(limits.Admit(b), Refusal::kConnections);
  EXPECT_TRUE(limits.full());
  EXPECT_EQ(limits.connections(), 1u);
  b.Authenticated();  // it never counted as waiting
  EXPECT_EQ(limits.unauthenticated(), 1u);
  Ticket moved = std::move(b);
  b = Ticket();
  EXPECT_TRUE(limits.full());
  moved = Ticket();
  EXPECT_FALSE(limits.full());
  EXPECT_EQ(limits.connections(), 1u);
  a = Ticket();
  EXPECT_EQ(limits.connections(), 0u);
}

TEST(ConnectionLimitsTest, HoldsUnderContention) {
  ConnectionLimits limits({.max_connections = 50, .max_unauthenticated = 40, .max_per_ip = 5});
  const IpAddress address = *IpAddress::Parse("192.0.2.1");
  std::atomic<size_t> most{0};
  constexpr size_t kThreads = 4;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        std::vector<Ticket> mine(20);
        size_t claimed = 0;
        for (Ticket& ticket : mine) {
          if (limits.Admit(ticket) != Refusal::kNone) continue;
          claimed += ticket.ClaimAddress(address) == Refusal::kNone ? 1 : 0;
          if (i % 2 == 0) ticket.Authenticated();
        }
        size_t seen = most.load();
        while (claimed > seen && !most.compare_exchange_weak(seen, claimed)) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 5u);
  EXPECT_GT(most.load(), 0u);
  EXPECT_EQ(limits.connections(), 0u);
  EXPECT_EQ(limits.unauthenticated(), 0u);
}

}  // namespace
}  // namespace msab
