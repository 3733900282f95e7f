#ifndef MSAB_TESTS_SUPPORT_WEB_SERVER_H_
#define MSAB_TESTS_SUPPORT_WEB_SERVER_H_

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace msab::test {

// A little HTTP/1.1 server on loopback, over TLS if it is given a certificate: answers as a test
// says, one thread a connection, kept alive unless the answer says otherwise.
class WebServer {
 public:
  struct Request {
    int connection = 0;  // the how manieth of this server it came on, from 1
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
  };
  struct Response {
    int status = 200;
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    bool close = false;    // after the answer
    bool hang_up = false;  // instead of one
    std::string raw = {};  // these very bytes instead, and then the end
  };
  // Runs on the connection's thread, and may take its time.
  using Handler = std::function<Response(const Request&)>;

  struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 0;             // 0: the kernel's choice
    std::string certificate = {};  // PEM, the chain; empty: no TLS
    std::string key = {};          // PEM
  };

  WebServer(Options options, Handler handler);
  // Cuts every connection; waits for the handlers.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }  // connections so far

  // Ends the connections that are open now, from our side.
  void CutAll();

 private:
  class Stream;

  void Accept();
  void Serve(int fd, int number);

  const Options options_;
  const Handler handler_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::mutex mu_;
  bool stopping_ = false;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace msab::test

#endif  // MSAB_TESTS_SUPPORT_WEB_SERVER_H_
