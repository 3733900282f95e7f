#include "tests/e2e/harness/laravel_app.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "tests/e2e/harness/token.h"

namespace msab::e2e {
namespace {

constexpr char kPath[] = "/relay/webhook";

std::string HeaderOf(const test::WebServer::Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

std::string TransactionOf(const Json& command) {
  return absl::StrCat(Number(At(command, "user"), "id"), ":",
                      Text(At(command, "data"), "transactionId"));
}

}  // namespace

std::string LaravelApp::Secret(char fill) {
  return absl::StrCat("whsec_", absl::Base64Escape(std::string(32, fill)));
}

LaravelApp::LaravelApp(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  decide_ = [](const Json&) { return std::string(R"("status":"accepted")"); };
  server_ = Serve(0);
  port_ = server_->port();
}

LaravelApp::~LaravelApp() {
  Release();
  server_.reset();
}

std::unique_ptr<test::WebServer> LaravelApp::Serve(uint16_t port) {
  test::WebServer::Options options;
  options.port = port;
  return std::make_unique<test::WebServer>(
      options, [this](const test::WebServer::Request& request) { return Handle(request); });
}

std::string LaravelApp::url() const { return absl::StrCat("http://127.0.0.1:", port_, kPath); }

std::map<std::string, std::string> LaravelApp::Settings() const {
  return {{"laravel.webhook_url", url()},
          {"laravel.webhook_secrets", absl::StrJoin(secrets_, ",")}};
}

void LaravelApp::Decide(std::function<std::string(const Json& command)> decide) {
  absl::MutexLock lock(&mu_);
  decide_ = std::move(decide);
}
void LaravelApp::Next(std::vector<Response> responses) {
  absl::MutexLock lock(&mu_);
  next_.assign(responses.begin(), responses.end());
}
void LaravelApp::Always(std::optional<Response> response) {
  absl::MutexLock lock(&mu_);
  always_ = std::move(response);
}
void LaravelApp::Hold() {
  absl::MutexLock lock(&mu_);
  held_ = true;
}
void LaravelApp::Release() {
  absl::MutexLock lock(&mu_);
  held_ = false;
}
std::vector<LaravelApp::Message> LaravelApp::messages() {
  absl::MutexLock lock(&mu_);
  return messages_;
}
int LaravelApp::forged() {
  absl::MutexLock lock(&mu_);
  return forged_;
}
bool LaravelApp::overlapped() {
  absl::MutexLock lock(&mu_);
  return overlapped_;
}

std::vector<LaravelApp::Message> LaravelApp::Await(size_t count) {
  absl::MutexLock lock(&mu_);
  const auto there = [&] { return messages_.size() >= count; };
  EXPECT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&there), absl::FromChrono(kPatience)))
      << messages_.size() << " messages of " << count;
  return messages_;
}

std::vector<std::string> LaravelApp::Transactions() {
  std::vector<std::string> transactions;
  for (const Message& message : messages()) {
    for (const Json& command : message.commands) transactions.push_back(TransactionOf(command));
  }
  return transactions;
}

void LaravelApp::GoDown() { server_.reset(); }
void LaravelApp::ComeUp() { server_ = Serve(port_); }

bool LaravelApp::Signed(const test::WebServer::Request& request) const {
  const std::string timestamp = HeaderOf(request, "webhook-timestamp");
  if (std::abs(std::strtoll(timestamp.c_str(), nullptr, 10) - NowSeconds()) > 300) return false;
  const std::string text =
      absl::StrCat(HeaderOf(request, "webhook-id"), ".", timestamp, ".", request.body);
  for (const std::string& secret : secrets_) {
    std::string key;
    if (!absl::Base64Unescape(secret.substr(6), &key)) continue;
    const std::string wanted = absl::StrCat("v1,", absl::Base64Escape(HmacSha256(key, text)));
    for (absl::string_view given : absl::StrSplit(HeaderOf(request, "webhook-signature"), ' ')) {
      if (given == wanted) return true;
    }
  }
  return false;
}

LaravelApp::Response LaravelApp::Handle(const test::WebServer::Request& request) {
  if (!Signed(request)) {
    absl::MutexLock lock(&mu_);
    ++forged_;
    return {.status = 401};
  }
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, kPath);
  EXPECT_EQ(HeaderOf(request, "content-type"), "application/json");
  EXPECT_LE(request.body.size(), 256U * 1024);
  const Json body = ParseJson(request.body);
  EXPECT_EQ(Number(body, "v"), 1);
  Message message;
  message.id = HeaderOf(request, "webhook-id");
  message.timestamp = std::strtoll(HeaderOf(request, "webhook-timestamp").c_str(), nullptr, 10);
  message.body = request.body;
  message.at = std::chrono::steady_clock::now();
  for (const Json& command : At(body, "commands").as_array()) message.commands.push_back(command);
  EXPECT_GE(message.commands.size(), 1U);
  EXPECT_LE(message.commands.size(), 32U);

  absl::MutexLock lock(&mu_);
  messages_.push_back(message);
  std::map<int64_t, int> users;
  for (const Json& command : message.commands) users[Number(At(command, "user"), "id")] = 1;
  for (const auto& [user, one] : users) overlapped_ = overlapped_ || ++busy_[user] > 1;
  mu_.Await(absl::Condition(
      +[](bool* held) { return !*held; }, &held_));
  for (const auto& [user, one] : users) --busy_[user];
  if (!next_.empty()) {
    Response response = std::move(next_.front());
    next_.pop_front();
    return response;
  }
  if (always_) return *always_;
  return Answer(message);
}

LaravelApp::Response LaravelApp::Answer(const Message& message) {
  std::vector<std::string> results;
  for (const Json& command : message.commands) {
    const std::string said = decide_(command);
    if (said.empty()) continue;
    results.push_back(absl::StrCat(R"({"id":)", Quoted(Text(command, "id")), ",", said, "}"));
  }
  return {.body = absl::StrCat(R"({"results":[)", absl::StrJoin(results, ","), "]}")};
}

}  // namespace msab::e2e
