#include "server/base/address.h"

#include <gtest/gtest.h>

#include <string>

namespace msab {
namespace {

std::string Canonical(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  return address ? address->ToString() : "none";
}

TEST(IpAddressTest, ReadsAddressesAndNothingElse) {
  EXPECT_EQ(Canonical("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Canonical("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Canonical("2001:DB8:0::1"), "2001:db8::1");
  for (const std::string_view text :
       {std::string_view(), std::string_view("localhost"), std::string_view("192.0.2"),
        std::string_view("192.0.2.256"), std::string_view("192.0.2.1 "),
        std::string_view("192.0.2.1:80"), std::string_view("[::1]"),
        std::string_view("fe80::1%eth0"), std::string_view("::1\0", 4),
        std::string_view("192.0.2.1\0x", 11)}) {
    EXPECT_EQ(Canonical(text), "none") << text;
  }
  EXPECT_EQ(Canonical(std::string(1000, ':')), "none");
}

TEST(IpAddressTest, GroupsIpv6ByNetwork) {
  EXPECT_EQ(IpAddress::Parse("2001:db8:1:2:3:4:5:6")->Household().ToString(), "2001:db8:1:2::");
  EXPECT_EQ(IpAddress::Parse("192.0.2.1")->Household().ToString(), "192.0.2.1");
}

TEST(AddressRangeTest, ContainsWhatItsPrefixCovers) {
  const auto contains = [](std::string_view range, std::string_view address) {
    return AddressRange::Parse(range)->Contains(*IpAddress::Parse(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.255.255"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_FALSE(contains("10.0.0.0/8", "a00::"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "1.2.3.4"));
  EXPECT_TRUE(contains("fd00::/9", "fd7f::1"));
  EXPECT_FALSE(contains("fd00::/9", "fd80::1"));
  EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
}

TEST(AddressRangeTest, ReadsAndWritesRanges) {
  for (const char* text : {"10.0.0.0/8", "192.0.2.1", "fd00::/8", "::1", "0.0.0.0/0", "::/0"}) {
    ASSERT_TRUE(AddressRange::Parse(text)) << text;
    EXPECT_EQ(AddressRange::Parse(text)->ToString(), text);
  }
  for (const char* text : {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                           "10.0.0.1/8", "10.0.0.0/8/8", "fd00::/129", "host/8", "/8"}) {
    EXPECT_FALSE(AddressRange::Parse(text)) << text;
  }
}

TEST(HostPortTest, ReadsWhereToListen) {
  const auto parsed = [](std::string_view text) {
    const auto endpoint = HostPort::Parse(text);
    return endpoint ? endpoint->host + " " + std::to_string(endpoint->port) : "none";
  };
  EXPECT_EQ(parsed("127.0.0.1:8080"), "127.0.0.1 8080");
  EXPECT_EQ(parsed("localhost:0"), "127.0.0.1 0");
  EXPECT_EQ(parsed("[::1]:65535"), "::1 65535");
  for (const char* text :
       {"", "80800", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:+1", "127.0.0.1: 80", "::1:8080", "[::1]", "[127.0.0.1]:80", "[localhost]:80",
        "relay.example:80"}) {
    EXPECT_EQ(parsed(text), "none") << text;
  }
  EXPECT_EQ((HostPort{"::1", 80}).ToString(), "[::1]:80");
  EXPECT_EQ((HostPort{"0.0.0.0", 80}).ToString(), "0.0.0.0:80");
  EXPECT_TRUE((HostPort{"127.8.9.1", 80}).IsLoopback());
  EXPECT_TRUE((HostPort{"::1", 80}).IsLoopback());
  EXPECT_FALSE((HostPort{"0.0.0.0", 80}).IsLoopback());
  EXPECT_FALSE((HostPort{"::", 80}).IsLoopback());
}

}  // namespace
}  // namespace msab
