#include "tests/support/web_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace msab::test {
namespace {

SSL_CTX* MakeTls(const std::string& certificate, const std::string& key) {
  SSL_CTX* const tls = SSL_CTX_new(TLS_server_method());
  BIO* const certificate_text = BIO_new_mem_buf(certificate.data(), -1);
  X509* const x509 = PEM_read_bio_X509(certificate_text, nullptr, nullptr, nullptr);
  EXPECT_EQ(SSL_CTX_use_certificate(tls, x509), 1);
  X509_free(x509);
  BIO_free(certificate_text);
  BIO* const key_text = BIO_new_mem_buf(key.data(), -1);
  EVP_PKEY* const pkey = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(tls, pkey), 1);
  EVP_PKEY_free(pkey);
  BIO_free(key_text);
  return tls;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// The head's lines; false if it is none.
bool ReadHead(std::string_view head, WebServer::Request& request) {
  size_t line_end = head.find("\r\n");
  const std::string_view first = head.substr(0, line_end);
  const size_t space = first.find(' ');
  const size_t second = first.find(' ', space + 1);
  if (space == first.npos || second == first.npos) return false;
  request.method = first.substr(0, space);
  request.target = first.substr(space + 1, second - space - 1);
  while (line_end != head.npos) {
    const size_t begin = line_end + 2;
    line_end = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, line_end - begin);
    const size_t colon = line.find(": ");
    if (colon == line.npos) continue;
    request.headers[Lower(std::string(line.substr(0, colon)))] = line.substr(colon + 2);
  }
  return true;
}

std::string Bytes(const WebServer::Response& response) {
  if (!response.raw.empty()) return response.raw;
  std::string bytes = "HTTP/1.1 " + std::to_string(response.status) + " Answer\r\n";
  for (const auto& [name, value] : response.headers) bytes += name + ": " + value + "\r\n";
  if (response.close) bytes += "Connection: close\r\n";
  return bytes + "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" +
         response.body;
}

}  // namespace

// A connection's bytes, encrypted or not.
class WebServer::Stream {
 public:
  Stream(int fd, SSL_CTX* tls) : fd_(fd), ssl_(tls == nullptr ? nullptr : SSL_new(tls)) {
    if (ssl_ != nullptr) SSL_set_fd(ssl_, fd);
  }
  ~Stream() { SSL_free(ssl_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool Handshake() { return ssl_ == nullptr || SSL_accept(ssl_) == 1; }

  bool Read(std::string& buffer) {
    char bytes[16 * 1024];
    const auto size = ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof(bytes))
                                      : static_cast<int>(recv(fd_, bytes, sizeof(bytes), 0));
    if (size <= 0) return false;
    buffer.append(bytes, static_cast<size_t>(size));
    return true;
  }

  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto size = ssl_ != nullptr
                            ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                            : static_cast<int>(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(size));
    }
    return true;
  }

  void Finish() {
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
  }

 private:
  const int fd_;
  SSL* const ssl_;
};

WebServer::WebServer(Options options, Handler handler)
    : options_(std::move(options)), handler_(std::move(handler)) {
  // OpenSSL writes to a socket whose peer is gone as write(2) does.
  std::signal(SIGPIPE, SIG_IGN);
  if (!options_.certificate.empty()) tls_ = MakeTls(options_.certificate, options_.key);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr);
  EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listener_, 128), 0);
  socklen_t size = sizeof(address);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

WebServer::~WebServer() {
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  CutAll();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
  SSL_CTX_free(tls_);
}

void WebServer::CutAll() {
  const std::lock_guard lock(mu_);
  for (const int fd : open_) shutdown(fd, SHUT_RDWR);
}

void WebServer::Accept() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mu_);
    if (fd < 0 || stopping_) {
      if (fd >= 0) close(fd);
      return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    open_.insert(fd);
    const int number = ++accepted_;
    threads_.emplace_back([this, fd, number] { Serve(fd, number); });
  }
}

void WebServer::Serve(int fd, int number) {
  {
    Stream stream(fd, tls_);
    std::string buffer;
    bool open = stream.Handshake();
    while (open) {
      size_t head = buffer.find("\r\n\r\n");
      while (head == std::string::npos && (open = stream.Read(buffer))) {
        head = buffer.find("\r\n\r\n");
      }
      if (!open) break;
      Request request;
      request.connection = number;
      if (!ReadHead(std::string_view(buffer).substr(0, head), request)) break;
      const auto length = request.headers.find("content-length");
      const size_t size =
          length == request.headers.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10);
      while (buffer.size() < head + 4 + size && (open = stream.Read(buffer))) {
      }
      if (!open) break;
      request.body = buffer.substr(head + 4, size);
      buffer.erase(0, head + 4 + size);
      const Response response = handler_(request);
      if (response.hang_up) break;
      open = stream.Write(Bytes(response)) && !response.close && response.raw.empty();
      if (!open) stream.Finish();
    }
  }
  const std::lock_guard lock(mu_);
  open_.erase(fd);
  shutdown(fd, SHUT_RDWR);
  close(fd);
}

}  // namespace msab::test
