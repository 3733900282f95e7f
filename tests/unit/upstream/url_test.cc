#include "server/upstream/url.h"

#include <gtest/gtest.h>

#include <string>

namespace msab {
namespace {

TEST(WebhookUrlTest, IsTakenApart) {
  auto url = WebhookUrl::Parse("https://app.example/relay/webhook?x=1");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "app.example");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->target, "/relay/webhook?x=1");
  EXPECT_EQ(url->header, "app.example");

  url = WebhookUrl::Parse("http://127.0.0.1:8000");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, 8000);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(url->header, "127.0.0.1:8000");

  url = WebhookUrl::Parse("http://[::1]:81?x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 81);
  EXPECT_EQ(url->target, "/?x");
  EXPECT_EQ(url->header, "[::1]:81");

  EXPECT_EQ(WebhookUrl::Parse("http://a")->port, 80);
  EXPECT_EQ(WebhookUrl::Parse("http://a:80/")->header, "a");
}

TEST(WebhookUrlTest, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "app.example/hook",
                           "ftp://app.example/",
                           "https://",
                           "https:///hook",
                           "https://:443/",
                           "https://a:/",
                           "https://a:0/",
                           "https://a:65536/",
                           "https://a:8x/",
                           "https://u@a/",
                           "https://u:p@a/",
                           "https://a/#x",
                           "https://a/ b",
                           "https://a/\r\nX: y",
                           "https://a b/",
                           "http://[::1/",
                           "http://[::1]x/",
                           "http://[]/",
                           "http://[g]/",
                           "HTTP//a",
                           "https://\xc3\xa4/"}) {
    EXPECT_FALSE(WebhookUrl::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace msab
