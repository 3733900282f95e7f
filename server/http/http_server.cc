#include "server/http/http_server.h"

#include <cstdint>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "boost/asio/dispatch.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/beast/core/basic_stream.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/rate_policy.hpp"
#include "boost/beast/http.hpp"
#include "spdlog/spdlog.h"

namespace msab {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Tcp = asio::ip::tcp;
using Stream = beast::basic_stream<Tcp, Executor, beast::unlimited_rate_policy>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

// How much of a request that was answered early is read and thrown away.
constexpr size_t kMaxDiscarded = size_t{8} << 20;
constexpr std::chrono::milliseconds kDiscardTimeout{2'000};

// Out of descriptors: accepting again at once would spin.
constexpr std::chrono::milliseconds kAcceptPause{250};

}  // namespace

// Everything lives on the one thread that runs `context_`, but for `gate_`.
class HttpServer::Impl {
 public:
  class Connection;

  // How a late answer finds its way home: null once the server is gone.
  struct Gate {
    absl::Mutex mu;
    Impl* server ABSL_GUARDED_BY(mu) = nullptr;
  };

  Impl(Options options, std::vector<HttpRoute> routes);
  ~Impl();

  absl::Status Listen();
  void Run();
  void Stop(std::chrono::milliseconds grace);

  // Any thread: hands the answer to a connection's request, if both and the server are still there.
  static void Deliver(Gate& gate, uint64_t connection, uint64_t request, HttpResponse response);

  // The rest: server's thread only
  void Accept();
  void Closed(uint64_t id);

  // The route, or null with the answer that says why not.
  const HttpRoute* Find(const HttpRequest& request, HttpResponse& refusal) const;

  // Constant after construction
  const Options options_;
  const std::vector<HttpRoute> routes_;
  HostPort address_;  // after Listen

  Stats stats_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();

  // Server's thread only
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_{context_.get_executor()};
  asio::basic_socket_acceptor<Tcp, Executor> acceptor_{context_.get_executor()};
  Timer accept_pause_{context_.get_executor()};
  Timer grace_{context_.get_executor()};
  uint64_t last_id_ = 0;
  bool stopping_ = false;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Connection>> connections_;

  std::thread thread_;
};

// One client's connection: reads a request, lets its handler answer, reads the next. Owned by the
// server's map; pending operations keep it alive until they return.
class HttpServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, uint64_t id, asio::basic_stream_socket<Tcp, Executor> socket)
      : server_(server), id_(id), stream_(std::move(socket)), due_(stream_.get_executor()) {}

  void ReadHead();

  // The answer to its `request`-th request; dropped if that was answered for want of one.
  void Answer(uint64_t request, HttpResponse response) {
    if (!waiting_ || request != requests_) return;
    due_.cancel();
    Answer(std::move(response));
  }

  // The server stops: ends now if no request is under way, else after its answer.
  void Stop() {
    close_after_answer_ = true;
    if (idle_) Close();
  }

  void Close() {
    error_code ignored;
    stream_.socket().close(ignored);
    due_.cancel();
    server_.Closed(id_);
  }

 private:
  void Answer(HttpResponse response);
  void OnHead(error_code error);
  void ReadBody();
  void OnBody(error_code error);
  void Handle();
  void Refuse(int status, std::string_view message) {
    close_after_answer_ = true;
    Answer(HttpError(status, message));
  }
  // What a failed read means: an answer, or the end of the connection.
  void Fail(error_code error);
  void OnAnswered(error_code error);
  void Discard(size_t left);

  Impl& server_;
  const uint64_t id_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  const HttpRoute* route_ = nullptr;
  std::optional<http::response<http::string_body>> response_;
  Timer due_;  // when the handler must have answered
  uint64_t requests_ = 0;
  bool idle_ = true;      // between an answer and the next request's head
  bool waiting_ = false;  // for the handler's answer
  bool head_only_ = false;
  bool close_after_answer_ = false;
};

void HttpServer::Impl::Connection::ReadHead() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(server_.options_.max_head));
  parser_->body_limit(server_.options_.max_body);
  idle_ = true;
  head_only_ = false;
  stream_.expires_after(server_.options_.idle_timeout);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->OnHead(error); });
}

void HttpServer::Impl::Connection::Fail(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return Refuse(431, "the request's head is too large");
  }
  if (error == http::error::body_limit) {
    return Refuse(413, absl::StrCat("the request's body is larger than ", server_.options_.max_body,
                                    " bytes"));
  }
  // Timeouts, resets and ends of the stream leave nobody to answer.
  if (error.category() != http::make_error_code(http::error::bad_version).category() ||
      error == http::error::end_of_stream || error == http::error::partial_message) {
    return Close();
  }
  Refuse(400, "the request is not well-formed HTTP/1.1");
}

void HttpServer::Impl::Connection::OnHead(error_code error) {
  if (!stream_.socket().is_open()) return;  // closed meanwhile
  idle_ = false;
  if (error) return Fail(error);
  const auto& head = parser_->get();
  close_after_answer_ = close_after_answer_ || !head.keep_alive();
  head_only_ = head.method() == http::verb::head;
  request_ = {};
  request_.method = head.method_string();
  const std::string_view target(head.target().data(), head.target().size());
  const size_t question = target.find('?');
  request_.path = target.substr(0, question);
  if (question != std::string_view::npos) request_.query = target.substr(question + 1);
  for (const auto& field : head) {
    request_.headers.emplace_back(field.name_string(), field.value());
  }

  std::optional<HttpResponse> refusal(std::in_place);
  route_ = server_.Find(request_, *refusal);
  if (route_ != nullptr) {
    refusal = route_->guard ? route_->guard(request_) : std::nullopt;
  }
  if (refusal) {
    // What follows the head is an unread body: it can't be the next request.
    if (!parser_->is_done()) close_after_answer_ = true;
    return Answer(*std::move(refusal));
  }
  if (parser_->is_done()) return Handle();
  if (beast::iequals(head[http::field::expect], "100-continue")) {
    stream_.expires_after(server_.options_.io_timeout);
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = shared_from_this()](error_code failed, size_t) {
                        if (failed) return self->Close();
                        self->ReadBody();
                      });
    return;
  }
  ReadBody();
}

void HttpServer::Impl::Connection::ReadBody() {
  stream_.expires_after(server_.options_.io_timeout);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](error_code error, size_t) { self->OnBody(error); });
}

void HttpServer::Impl::Connection::OnBody(error_code error) {
  if (!stream_.socket().is_open()) return;
  if (error) return Fail(error);
  request_.body = std::move(parser_->get().body());
  Handle();
}

void HttpServer::Impl::Connection::Handle() {
  // Answers with a 500 if the handler drops it.
  class Reply {
   public:
    Reply(std::shared_ptr<Gate> gate, uint64_t connection, uint64_t request)
        : gate_(std::move(gate)), connection_(connection), request_(request) {}
    Reply(Reply&&) = default;
    ~Reply() {
      if (gate_ != nullptr) (*this)(HttpError(500, "no answer"));
    }
    void operator()(HttpResponse response) {
      if (gate_ == nullptr) return;
      Deliver(*std::exchange(gate_, nullptr), connection_, request_, std::move(response));
    }

   private:
    std::shared_ptr<Gate> gate_;
    uint64_t connection_;
    uint64_t request_;
  };
  waiting_ = true;
  ++requests_;
  due_.expires_after(server_.options_.answer_timeout);
  due_.async_wait([self = shared_from_this(), request = requests_](error_code cancelled) {
    if (!cancelled) self->Answer(request, HttpError(504, "not answered in time"));
  });
  route_->handler(std::move(request_), Reply(server_.gate_, id_, requests_));
}

void HttpServer::Impl::Connection::Answer(HttpResponse answer) {
  waiting_ = false;
  if (answer.status >= 0 && answer.status < static_cast<int>(server_.stats_.by_status.size())) {
    server_.stats_.by_status[answer.status].Add();
  }
  response_.emplace(static_cast<http::status>(answer.status), 11);
  auto& response = *response_;
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  // RFC 9110 §6.6.1: a server with a clock says what it shows. Emitters compare it with theirs,
  // since `occurred_at` and `ttl` are in their time.
  response.set(http::field::date,
               absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()));
  for (const auto& [name, value] : answer.headers) response.insert(name, value);
  response.keep_alive(!close_after_answer_);
  response.content_length(answer.body.size());
  if (!head_only_) response.body() = std::move(answer.body);
  stream_.expires_after(server_.options_.io_timeout);
  http::async_write(stream_, response, [self = shared_from_this()](error_code error, size_t) {
    self->OnAnswered(error);
  });
}

void HttpServer::Impl::Connection::OnAnswered(error_code error) {
  if (!stream_.socket().is_open()) return;
  if (error) return Close();
  response_.reset();
  if (!close_after_answer_) return ReadHead();
  if (parser_->is_done()) return Close();
  // Closing over an unread body would reset the connection, and the answer with it.
  error_code ignored;
  stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
  buffer_.clear();
  stream_.expires_after(kDiscardTimeout);
  Discard(kMaxDiscarded);
}

void HttpServer::Impl::Connection::Discard(size_t left) {
  stream_.async_read_some(buffer_.prepare(size_t{16} << 10),
                          [self = shared_from_this(), left](error_code error, size_t n) {
                            if (error || n >= left) return self->Close();
                            self->Discard(left - n);
                          });
}

HttpServer::Impl::Impl(Options options, std::vector<HttpRoute> routes)
    : options_(std::move(options)), routes_(std::move(routes)) {
  absl::MutexLock lock(&gate_->mu);
  gate_->server = this;
}

HttpServer::Impl::~Impl() {
  Stop(std::chrono::milliseconds(0));
  absl::MutexLock lock(&gate_->mu);
  gate_->server = nullptr;
}

absl::Status HttpServer::Impl::Listen() {
  error_code error;
  const auto ip = asio::ip::make_address(options_.listen.host, error);
  const Tcp::endpoint endpoint(ip, options_.listen.port);
  if (!error) acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options_.listen.ToString(), ": ", error.message()));
  }
  address_ = {options_.listen.host, acceptor_.local_endpoint(error).port()};
  return absl::OkStatus();
}

void HttpServer::Impl::Run() {
  Accept();
  thread_ = std::thread([this] { context_.run(); });
}

void HttpServer::Impl::Accept() {
  acceptor_.async_accept([this](error_code error, asio::basic_stream_socket<Tcp, Executor> socket) {
    if (!acceptor_.is_open()) return;
    if (error == asio::error::no_descriptors ||
        error.value() == static_cast<int>(std::errc::too_many_files_open_in_system) ||
        error == asio::error::no_memory || error == asio::error::no_buffer_space) {
      stats_.accept_failures.Add();
      accept_pause_.expires_after(kAcceptPause);
      accept_pause_.async_wait([this](error_code cancelled) {
        if (!cancelled) Accept();
      });
      return;
    }
    if (!error) {
      if (connections_.size() >= options_.max_connections) {
        stats_.refused_connections.Add();
      } else {
        error_code ignored;
        socket.set_option(Tcp::no_delay(true), ignored);
        const uint64_t id = ++last_id_;
        auto connection = std::make_shared<Connection>(*this, id, std::move(socket));
        connections_.emplace(id, connection);
        stats_.connections.Add();
        connection->ReadHead();
      }
    }
    Accept();
  });
}

void HttpServer::Impl::Closed(uint64_t id) {
  if (connections_.erase(id) != 0) stats_.connections.Add(-1);
  if (stopping_ && connections_.empty()) {
    grace_.cancel();
    work_.reset();
  }
}

const HttpRoute* HttpServer::Impl::Find(const HttpRequest& request, HttpResponse& refusal) const {
  std::vector<std::string> allowed;
  for (const HttpRoute& route : routes_) {
    if (route.path != request.path) continue;
    if (route.method == request.method || (route.method == "GET" && request.method == "HEAD")) {
      return &route;
    }
    allowed.push_back(route.method);
    if (route.method == "GET") allowed.emplace_back("HEAD");
  }
  if (allowed.empty()) {
    refusal = HttpError(404, "no such path");
  } else {
    refusal = HttpError(405, absl::StrCat("this path takes ", absl::StrJoin(allowed, ", ")));
    refusal.headers.emplace_back("Allow", absl::StrJoin(allowed, ", "));
  }
  return nullptr;
}

void HttpServer::Impl::Deliver(Gate& gate, uint64_t connection, uint64_t request,
                               HttpResponse response) {
  absl::MutexLock lock(&gate.mu);
  if (gate.server == nullptr) return;
  Impl& server = *gate.server;
  asio::post(server.context_,
             [&server, connection, request, response = std::move(response)]() mutable {
               const auto found = server.connections_.find(connection);
               if (found == server.connections_.end()) return;
               const auto alive = found->second;  // the map may lose it meanwhile
               alive->Answer(request, std::move(response));
             });
}

void HttpServer::Impl::Stop(std::chrono::milliseconds grace) {
  if (!thread_.joinable()) return;
  asio::post(context_, [this, grace] {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    const auto open = connections_;  // Stop may take one out of the map
    for (const auto& [id, connection] : open) connection->Stop();
    if (connections_.empty()) return work_.reset();
    grace_.expires_after(grace);
    grace_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      const auto late = connections_;
      for (const auto& [id, connection] : late) connection->Close();
    });
  });
  thread_.join();
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options,
                                                              std::vector<HttpRoute> routes) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(routes));
  if (absl::Status listening = impl->Listen(); !listening.ok()) return listening;
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
void HttpServer::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }
const HostPort& HttpServer::address() const { return impl_->address_; }
const HttpServer::Stats& HttpServer::stats() const { return impl_->stats_; }

}  // namespace msab
