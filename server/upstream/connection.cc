#include "server/upstream/connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/connect.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/ssl.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http/message.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/string_body.hpp"

namespace msab {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Resolver = asio::ip::basic_resolver<Tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Parser = http::response_parser<http::string_body>;

constexpr uint32_t kMaxHead = 16 * 1024;
constexpr size_t kReadSize = 16 * 1024;

// What went wrong, in words for a log. OpenSSL's reason for a refused certificate is in `tls`.
std::string Describe(std::string_view step, const error_code& error, SSL* tls) {
  std::string text =
      absl::StrCat(absl::string_view(step.data(), step.size()), ": ", error.message());
  if (tls != nullptr) {
    if (const long verdict = SSL_get_verify_result(tls); verdict != X509_V_OK) {
      absl::StrAppend(&text, " (", X509_verify_cert_error_string(verdict), ")");
    }
  }
  return text;
}

}  // namespace

struct WebhookConnector::Impl {
  Options options;
  std::optional<ssl::context> tls;
  // How many attempts to connect came to nothing: each begins at the next address of the name, so
  // that one that swallows our packets doesn't hide the others.
  size_t failures = 0;
};

namespace {

class Connection final : public WebhookConnection, public std::enable_shared_from_this<Connection> {
 public:
  using Options = WebhookConnector::Options;

  Connection(asio::io_context& context, const Options& options, ssl::context* tls, size_t& failures)
      : options_(options),
        tls_context_(tls),
        failures_(failures),
        socket_(context.get_executor()),
        resolver_(context.get_executor()),
        timer_(context.get_executor()) {}

  void Exchange(std::string request, Clock::time_point give_up, Done done) override {
    request_ = std::move(request);
    give_up_ = give_up;
    done_ = std::move(done);
    on_end_ = nullptr;
    answered_bytes_ = false;
    reused_ = connected_;
    parser_.emplace();
    parser_->header_limit(kMaxHead);
    parser_->body_limit(options_.max_answer);
    parser_->eager(true);
    if (connected_) return Write();
    Resolve();
  }

  bool reusable() const override { return connected_ && keep_; }

  void WatchIdle(absl::AnyInvocable<void()> on_end) override { on_end_ = std::move(on_end); }

  void Close() override {
    ++life_;
    connected_ = false;
    resolver_.cancel();
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    in_.clear();
  }

 private:
  // A handler of this life of the connection: one that comes after Close does nothing.
  template <typename F>
  auto Step(F f) {
    return [self = shared_from_this(), life = life_, f = std::move(f)](error_code error,
                                                                       auto&&... more) mutable {
      if (life == self->life_) f(*self, error, std::forward<decltype(more)>(more)...);
    };
  }

  void Limit(Clock::time_point at, const char* what) {
    timer_.expires_at(at);
    timer_.async_wait(Step([what](Connection& self, error_code error) {
      if (!error) self.Fail(what);
    }));
  }

  void Resolve() {
    Limit(Clock::now() + options_.connect_timeout, "connecting takes too long");
    error_code error;
    const auto address = asio::ip::make_address(options_.url.host, error);
    if (!error) return Connect({Tcp::endpoint(address, options_.url.port)});
    resolver_.async_resolve(
        options_.url.host, std::to_string(options_.url.port), Resolver::numeric_service,
        Step([](Connection& self, error_code failed, const Resolver::results_type& results) {
          if (failed) return self.Fail(Describe("resolving the name", failed, nullptr));
          std::vector<Tcp::endpoint> endpoints;
          for (const auto& result : results) endpoints.push_back(result.endpoint());
          self.Connect(std::move(endpoints));
        }));
  }

  void Connect(std::vector<Tcp::endpoint> endpoints) {
    const auto first = static_cast<std::ptrdiff_t>(failures_ % endpoints.size());
    std::rotate(endpoints.begin(), endpoints.begin() + first, endpoints.end());
    endpoints_ = std::move(endpoints);
    asio::async_connect(socket_, endpoints_,
                        Step([](Connection& self, error_code error, const Tcp::endpoint&) {
                          if (error) return self.Fail(Describe("connecting", error, nullptr));
                          error_code ignored;
                          self.socket_.set_option(Tcp::no_delay(true), ignored);
                          self.Handshake();
                        }));
  }

  void Handshake() {
    if (tls_context_ == nullptr) return Connected();
    tls_.emplace(socket_, *tls_context_);
    const std::string& host = options_.url.host;
    // A server name is a name, never an address (RFC 6066, 3).
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    if (not_an_address) SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
    tls_->set_verify_callback(ssl::host_name_verification(host));
    tls_->async_handshake(
        ssl::stream_base::client, Step([](Connection& self, error_code failed) {
          if (failed) {
            return self.Fail(Describe("the TLS handshake", failed, self.tls_->native_handle()));
          }
          self.Connected();
        }));
  }

  void Connected() {
    connected_ = true;
    Write();
    Read();
  }

  void Write() {
    Limit(give_up_, "no answer in time");
    writing_ = true;
    // If it fails, there may be an answer all the same (413 before all was read): the reader knows.
    auto written = Step([](Connection& self, error_code error, size_t) {
      if (!error) self.writing_ = false;
    });
    if (tls_) {
      asio::async_write(*tls_, asio::buffer(request_), std::move(written));
    } else {
      asio::async_write(socket_, asio::buffer(request_), std::move(written));
    }
  }

  // One read is always under way, so that the end of an idle connection is seen when it comes.
  void Read() {
    auto read =
        Step([](Connection& self, error_code error, size_t size) { self.OnRead(error, size); });
    if (tls_) {
      tls_->async_read_some(in_.prepare(kReadSize), std::move(read));
    } else {
      socket_.async_read_some(in_.prepare(kReadSize), std::move(read));
    }
  }

  void OnRead(error_code error, size_t size) {
    in_.commit(size);
    if (done_ == nullptr) return End();  // ended, or something that nobody asked for
    answered_bytes_ = answered_bytes_ || size > 0;
    if (error) {
      if (error == asio::error::eof && parser_->got_some()) {
        error_code broken;
        parser_->put_eof(broken);
        if (!broken && parser_->is_done()) return Answered(/*keep=*/false);
      }
      return Fail(Describe("reading the answer", error, nullptr));
    }
    while (!parser_->is_done() && in_.size() > 0) {
      error_code broken;
      const size_t used = parser_->put(in_.data(), broken);
      in_.consume(used);
      if (broken == http::error::need_more) break;
      if (broken) return Fail(Describe("reading the answer", broken, nullptr));
      if (parser_->is_done() && parser_->get().result_int() / 100 == 1) {
        // Informational (RFC 9110, 15.2): the answer follows.
        parser_.emplace();
        parser_->header_limit(kMaxHead);
        parser_->body_limit(options_.max_answer);
        parser_->eager(true);
      } else if (used == 0) {
        break;
      }
    }
    if (!parser_->is_done()) return Read();
    Answered(parser_->get().keep_alive() && in_.size() == 0);
  }

  void Answered(bool keep) {
    timer_.cancel();
    keep_ = keep && !writing_;
    HttpAnswer answer;
    auto& message = parser_->get();
    answer.status = static_cast<int>(message.result_int());
    answer.body = std::move(message.body());
    const auto after = message[http::field::retry_after];
    answer.retry_after.assign(after.data(), after.size());
    parser_.reset();
    if (keep_) {
      Read();
    } else {
      Close();
    }
    std::exchange(done_, nullptr)(std::move(answer));
  }

  void Fail(std::string what) {
    if (!connected_) ++failures_;
    HttpAnswer answer;
    answer.failure = std::move(what);
    answer.stale = reused_ && !answered_bytes_;
    Close();
    if (done_) std::exchange(done_, nullptr)(std::move(answer));
  }

  void End() {
    Close();
    if (on_end_) std::exchange(on_end_, nullptr)();
  }

  // Constant after construction
  const Options& options_;
  ssl::context* const tls_context_;  // null: plain

  size_t& failures_;
  Socket socket_;
  std::optional<ssl::stream<Socket&>> tls_;
  Resolver resolver_;
  Timer timer_;
  std::vector<Tcp::endpoint> endpoints_;
  uint64_t life_ = 0;
  bool connected_ = false;
  bool keep_ = false;

  // Of the exchange under way
  std::string request_;
  Clock::time_point give_up_;
  Done done_;
  std::optional<Parser> parser_;
  beast::flat_buffer in_;
  bool reused_ = false;
  bool answered_bytes_ = false;
  bool writing_ = false;  // or it failed

  absl::AnyInvocable<void()> on_end_;
};

}  // namespace

WebhookConnector::WebhookConnector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebhookConnector::~WebhookConnector() = default;

absl::StatusOr<std::unique_ptr<WebhookConnector>> WebhookConnector::Create(Options options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  if (impl->options.url.tls) {
    ssl::context& tls = impl->tls.emplace(ssl::context::tls_client);
    error_code error;
    tls.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
    tls.set_verify_mode(ssl::verify_peer);
    if (impl->options.ca_file.empty()) {
      tls.set_default_verify_paths(error);
    } else {
      tls.load_verify_file(impl->options.ca_file, error);
    }
    if (error) {
      return absl::InvalidArgumentError(
          absl::StrCat("no certificate authority in PEM form (", error.message(), ")"));
    }
  }
  return std::unique_ptr<WebhookConnector>(new WebhookConnector(std::move(impl)));
}

std::shared_ptr<WebhookConnection> WebhookConnector::New(boost::asio::io_context& context) {
  return std::make_shared<Connection>(context, impl_->options, impl_->tls ? &*impl_->tls : nullptr,
                                      impl_->failures);
}

}  // namespace msab
