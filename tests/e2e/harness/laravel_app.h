#ifndef MSAB_TESTS_E2E_HARNESS_LARAVEL_APP_H_
#define MSAB_TESTS_E2E_HARNESS_LARAVEL_APP_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/e2e/harness/json.h"
#include "tests/e2e/harness/wait.h"
#include "tests/support/web_server.h"

namespace msab::e2e {

// Stands in for the application behind the webhook: takes the relay's messages as the contract
// page's section 9 has it, checks their signatures (401 where none is right), and answers as the
// test says. Any thread.
class LaravelApp {
 public:
  using Response = test::WebServer::Response;

  // One message that came with a good signature.
  struct Message {
    std::string id;
    int64_t timestamp = 0;
    std::string body;
    std::vector<Json> commands;
    SteadyTime at;
  };

  // What it knows of a secret: `whsec_…`.
  static std::string Secret(char fill);

  explicit LaravelApp(std::vector<std::string> secrets = {Secret('a')});
  ~LaravelApp();

  std::string url() const;
  // What a relay must be told of it.
  std::map<std::string, std::string> Settings() const;

  // What it says to a command from now on: the members of its result behind the id, such as
  // `"status":"accepted"`; an empty text: no result. Says "accepted" unless told otherwise.
  void Decide(std::function<std::string(const Json& command)> decide);

  // The answers to the next messages, before it decides again.
  void Next(std::vector<Response> responses);
  // The answer to every message, until the next call; nothing: it decides.
  void Always(std::optional<Response> response);

  // Messages wait for their answer until Release.
  void Hold();
  void Release();

  // Messages so far.
  std::vector<Message> messages();
  // Waits for so many of them in all, and returns them.
  std::vector<Message> Await(size_t count);
  // Commands of all messages, in their order: "user:transactionId".
  std::vector<std::string> Transactions();

  // Messages with no good signature.
  int forged();
  // Whether ever a user's commands were in two messages at once.
  bool overlapped();

  // Ends the connections that are open now.
  void CutConnections() { server_->CutAll(); }
  int connections() const { return server_->accepted(); }

  // Gone, and back at the same place.
  void GoDown();
  void ComeUp();

 private:
  Response Handle(const test::WebServer::Request& request);
  Response Answer(const Message& message);
  bool Signed(const test::WebServer::Request& request) const;
  std::unique_ptr<test::WebServer> Serve(uint16_t port);

  const std::vector<std::string> secrets_;
  absl::Mutex mu_;
  bool held_ = false;
  std::function<std::string(const Json&)> decide_;
  std::deque<Response> next_;
  std::optional<Response> always_;
  std::vector<Message> messages_;
  std::map<int64_t, int> busy_;  // users, by messages under way
  int forged_ = 0;
  bool overlapped_ = false;
  uint16_t port_ = 0;
  std::unique_ptr<test::WebServer> server_;
};

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_LARAVEL_APP_H_
