#include "server/session/connection.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/asio/bind_allocator.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http/empty_body.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "boost/beast/http/string_body.hpp"
#include "boost/beast/http/write.hpp"
#include "boost/beast/websocket/stream.hpp"
#include "server/base/logging.h"
#include "server/session/close_code.h"
#include "server/session/operation_memory.h"
#include "server/session/session.h"

namespace msab {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

// Reading happens into this much at a time: what an idle connection holds ready. A join fits; a
// longer message is gathered in pieces from Beast's own buffer.
constexpr size_t kReadBytes = 56;

// What Asio and Beast keep of a read under way, which every idle connection has.
constexpr size_t kReadOperation = 288;

// Bytes sent that the kernel may hold unacknowledged-and-unsent before it says "full". What waits
// beyond stays in the outbox, where a LATEST frame can still be replaced and the high-water mark
// sees it.
constexpr int kUnsentBytes = 128 * 1024;

// Seconds in the Retry-After of a refusal for a passing state.
constexpr int kRetryAfterSeconds = 5;

DoorRefusal RefusalOf(int status) {
  switch (status) {
    case 404:
      return DoorRefusal::kNotFound;
    case 426:
      return DoorRefusal::kUpgradeRequired;
    default:
      return DoorRefusal::kBadRequest;
  }
}

HttpRefusal Draining() { return Door::Later("draining", kRetryAfterSeconds); }

class BeastConnection final : public Transport,
                              public std::enable_shared_from_this<BeastConnection>,
                              public Connection {
 public:
  BeastConnection(TcpSocket socket, ConnectionHost& host)
      : host_(host), ws_(std::move(socket)), session_(host.sessions(), *this) {
    wire().set_owner(this);
  }

  void Start();

  // Connection
  void Prefetch() const override { __builtin_prefetch(&ws_.next_layer()); }
  void Flush() override;
  void Drain(int64_t retry_after_ms) override;
  void Abort() override { Finish(); }

  // Transport (and Wire::Owner)
  Outbox& outbox() override { return wire().outbox(); }
  void MarkDirty() override;
  void Close(uint16_t code, std::string_view reason) override;
  void ResumeReading() override;
  void OnAuthenticated() override { ticket_.Authenticated(); }
  std::shared_ptr<void> Share() override { return shared_from_this(); }
  void OnWireDirty() override { MarkDirty(); }
  void OnWireClosing(uint16_t code) override;
  void OnWireBroken() override { Finish(); }
  void OnWireDrained() override { session_.OnDrained(); }

 private:
  // The HTTP part of the connection's life, freed at its end.
  struct Request {
    beast::flat_buffer buffer{Door::kMaxHeadBytes};
    http::request_parser<http::empty_body> parser;
    http::response<http::string_body> response;
    Opening opening;
    IpAddress peer;                // of the socket
    std::optional<int64_t> drain;  // asked to leave in the midst of the upgrade: ms to stay away
  };
  enum class Stage : uint8_t { kRequest, kUpgrading, kRefusing, kOpen, kClosing, kFinished };

  Wire& wire() { return ws_.next_layer(); }
  ShardCounters& counters() { return host_.sessions().counters(); }

  void OnRequest(error_code error);
  void Refuse(const HttpRefusal& refusal, DoorRefusal reason);
  void Accept(Upgrade upgrade);
  void OnAccepted(error_code error, const Dialect& dialect);
  void Read();
  void OnRead(error_code error, size_t bytes);
  void OnMessage(std::string_view message);
  void Finish();
  void LogEnd() const;

  // Shard thread only; here because it fits into Connection's last bytes
  Stage stage_ = Stage::kRequest;
  bool reading_ = false;         // a read is under way, or what it brought is being taken
  bool broken_framing_ = false;  // Beast closed with a standard code
  uint16_t close_code_ = 0;

  // Constant after construction
  ConnectionHost& host_;

  // Shard thread only
  websocket::stream<Wire, false> ws_;
  Session session_;
  ConnectionLimits::Ticket ticket_;
  std::unique_ptr<Request> request_;
  int64_t since_ = 0;  // accepted at, steady ms
  std::array<char, kReadBytes> piece_;
  // What has come of a message longer than one piece; null else.
  std::unique_ptr<std::string> gathered_;
  OperationMemory<kReadOperation> read_memory_;
};
// With its reference counts it fills the allocator's class of 768 bytes; the next is 896.
static_assert(sizeof(BeastConnection) <= 768 - 2 * sizeof(void*));

void BeastConnection::Start() {
  since_ = host_.sessions().NowSteady();
  counters().accepted.Add();
  counters().connections.Add();
  request_ = std::make_unique<Request>();
  error_code error;
  TcpSocket& socket = wire().socket();
  const auto peer = socket.remote_endpoint(error);
  if (!error) {
    request_->peer = IpAddress::Parse(peer.address().to_string()).value_or(IpAddress());
  }
  // Replies are small and wanted now.
  socket.set_option(net::ip::tcp::no_delay(true), error);
  socket.set_option(
      net::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>(kUnsentBytes), error);

  session_.Start();
  const ConnectionLimits::Refusal refusal = host_.limits().Admit(ticket_);
  if (host_.draining()) {
    return Refuse(Draining(), DoorRefusal::kDraining);
  }
  switch (refusal) {
    case ConnectionLimits::Refusal::kConnections:
      return Refuse(Door::Later("too many connections", kRetryAfterSeconds),
                    DoorRefusal::kTooManyOpen);
    case ConnectionLimits::Refusal::kUnauthenticated:
      return Refuse(Door::Later("too many connections without a token", kRetryAfterSeconds),
                    DoorRefusal::kTooManyWaiting);
    case ConnectionLimits::Refusal::kAddress:
    case ConnectionLimits::Refusal::kNone:
      break;
  }
  request_->parser.header_limit(Door::kMaxHeadBytes);
  http::async_read_header(
      wire(), request_->buffer, request_->parser,
      [self = shared_from_this()](error_code read_error, size_t) { self->OnRequest(read_error); });
}

void BeastConnection::OnRequest(error_code error) {
  if (stage_ != Stage::kRequest) return;
  if (error) {
    static const boost::system::error_category& http_faults =
        http::make_error_code(http::error::end_of_stream).category();
    if (error.category() != http_faults || error == http::error::end_of_stream ||
        error == http::error::partial_message) {
      return Finish();
    }
    HttpRefusal refusal;
    refusal.body = error == http::error::header_limit || error == http::error::buffer_overflow
                       ? absl::StrCat("request head over ", Door::kMaxHeadBytes, " bytes\n")
                       : absl::StrCat("not an HTTP request: ", error.message(), "\n");
    return Refuse(refusal, DoorRefusal::kBadRequest);
  }
  if (host_.draining()) return Refuse(Draining(), DoorRefusal::kDraining);
  const auto& head = request_->parser.get();
  DoorVerdict verdict = host_.door().Judge(head);
  if (const auto* refusal = std::get_if<HttpRefusal>(&verdict)) {
    return Refuse(*refusal, RefusalOf(refusal->status));
  }
  const IpAddress address = host_.door().ClientAddress(head, request_->peer);
  if (ticket_.ClaimAddress(address) != ConnectionLimits::Refusal::kNone) {
    return Refuse(Door::Later("too many connections of this address", kRetryAfterSeconds),
                  DoorRefusal::kTooManyAddress);
  }
  Accept(std::move(std::get<Upgrade>(verdict)));
}

void BeastConnection::Refuse(const HttpRefusal& refusal, DoorRefusal reason) {
  stage_ = Stage::kRefusing;
  session_.OnClosing();
  counters().refused[static_cast<size_t>(reason)].Add();
  auto& response = request_->response;
  response.version(11);
  response.result(static_cast<unsigned>(refusal.status));
  response.set(http::field::content_type,
               beast::string_view(refusal.content_type.data(), refusal.content_type.size()));
  for (const auto& [name, value] : refusal.headers) response.set(name, value);
  response.body() = refusal.body;
  response.keep_alive(false);
  response.prepare_payload();
  http::async_write(wire(), response, [self = shared_from_this()](error_code, size_t) {
    self->wire().Teardown([self](error_code) { self->Finish(); });
  });
}

void BeastConnection::Accept(Upgrade upgrade) {
  const Dialect* dialect = host_.dialect(upgrade.dialect);
  if (dialect == nullptr) {
    HttpRefusal refusal;
    refusal.status = 404;
    refusal.body = "no such dialect here\n";
    return Refuse(refusal, DoorRefusal::kNotFound);
  }
  stage_ = Stage::kUpgrading;
  request_->opening = {std::move(upgrade.credentials), upgrade.origin_allowed};

  // A client that sends frames before it has our 101.
  auto rest = request_->buffer.data();
  wire().Unread(std::string(static_cast<const char*>(rest.data()), rest.size()));

  ws_.auto_fragment(false);
  ws_.read_message_max(host_.max_message_bytes());
  // Beast's timeouts drop a connection without a close frame: the shard's timer wheel does them.
  ws_.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                 websocket::stream_base::none(), false});
  if (upgrade.subprotocol) {
    ws_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::sec_websocket_protocol,
                   beast::string_view(Door::kSubprotocol.data(), Door::kSubprotocol.size()));
    }));
  }
  ws_.control_callback([this](websocket::frame_type, beast::string_view) { session_.OnAlive(); });
  ws_.async_accept(request_->parser.get(), [self = shared_from_this(), dialect](error_code error) {
    self->OnAccepted(error, *dialect);
  });
}

void BeastConnection::OnAccepted(error_code error, const Dialect& dialect) {
  if (stage_ != Stage::kUpgrading) return;
  if (error) {
    // No WebSocket handshake after all; Beast has put its 400 out.
    stage_ = Stage::kRefusing;
    session_.OnClosing();
    counters().refused[static_cast<size_t>(DoorRefusal::kBadRequest)].Add();
    return wire().Teardown([self = shared_from_this()](error_code) { self->Finish(); });
  }
  stage_ = Stage::kOpen;
  const std::unique_ptr<Request> request = std::move(request_);
  session_.Open(dialect, std::move(request->opening));
  if (request->drain) return Drain(*request->drain);
  ResumeReading();
}

void BeastConnection::ResumeReading() {
  if (!reading_ && stage_ == Stage::kOpen && session_.reading()) Read();
}

void BeastConnection::Read() {
  reading_ = true;
  ws_.async_read_some(net::buffer(piece_), net::bind_allocator(read_memory_.allocator(),
                                                               [self = shared_from_this()](
                                                                   error_code error, size_t bytes) {
                                                                 self->OnRead(error, bytes);
                                                               }));
}

void BeastConnection::OnRead(error_code error, size_t bytes) {
  if (error) {
    // The close handshake is through, framing was broken (Beast has sent its close frame), or the
    // socket failed.
    reading_ = false;
    return Finish();
  }
  session_.OnAlive();
  const std::string_view piece(piece_.data(), bytes);
  if (ws_.is_message_done() && gathered_ == nullptr) {
    OnMessage(piece);
  } else {
    if (gathered_ == nullptr) gathered_ = std::make_unique<std::string>();
    gathered_->append(piece);
    if (ws_.is_message_done()) OnMessage(*std::exchange(gathered_, nullptr));
  }
  reading_ = false;
  if (stage_ == Stage::kClosing) {
    Read();  // to the peer's close frame
  } else {
    ResumeReading();
  }
}

void BeastConnection::OnMessage(std::string_view message) {
  if (stage_ != Stage::kOpen) return;
  if (ws_.got_text()) {
    session_.OnText(message);
  } else {
    session_.OnBinary();
  }
}

void BeastConnection::Close(uint16_t code, std::string_view reason) {
  if (stage_ != Stage::kOpen) {
    // There is no WebSocket to close yet.
    if (stage_ == Stage::kRequest || stage_ == Stage::kUpgrading) {
      counters().refused[static_cast<size_t>(DoorRefusal::kTimeout)].Add();
    }
    return Finish();
  }
  stage_ = Stage::kClosing;
  close_code_ = code;
  ws_.async_close(websocket::close_reason(static_cast<websocket::close_code>(code),
                                          beast::string_view(reason.data(), reason.size())),
                  [self = shared_from_this()](error_code) { self->Finish(); });
}

// What Beast still reads and answers after the end must not come back into the shard's lists.
void BeastConnection::MarkDirty() {
  if (stage_ != Stage::kFinished) host_.MarkDirty(*this);
}

void BeastConnection::OnWireClosing(uint16_t code) {
  if (stage_ == Stage::kFinished) return;
  if (stage_ == Stage::kOpen) {
    // Not ours: Beast echoes the peer's code, or says what was wrong with its frames. Known here,
    // because a peer that never hangs up lets no read end with an error that would tell.
    close_code_ = code;
    broken_framing_ = code == websocket::close_code::protocol_error ||
                      code == websocket::close_code::bad_payload ||
                      code == websocket::close_code::too_big;
  }
  stage_ = Stage::kClosing;
  session_.OnClosing();
}

void BeastConnection::Flush() {
  if (stage_ == Stage::kFinished) return;
  const Wire::Written written = wire().Flush();
  counters().writes.Add(written.calls);
  counters().bytes_written.Add(static_cast<int64_t>(written.bytes));
  if (written.bytes > 0) session_.OnWritten();
}

void BeastConnection::Drain(int64_t retry_after_ms) {
  switch (stage_) {
    case Stage::kRequest: {
      // Its end ends the read of the request, too.
      error_code ignored;
      wire().socket().cancel(ignored);
      return Refuse(Draining(), DoorRefusal::kDraining);
    }
    case Stage::kUpgrading:
      request_->drain = retry_after_ms;
      return;
    case Stage::kOpen:
      return session_.Close(CloseCode::kDraining,
                            absl::StrCat("draining: retry_after_ms=", retry_after_ms));
    case Stage::kRefusing:
    case Stage::kClosing:
    case Stage::kFinished:
      return;
  }
}

void BeastConnection::Finish() {
  if (stage_ == Stage::kFinished) return;
  const bool was_open = stage_ == Stage::kOpen || stage_ == Stage::kClosing;
  stage_ = Stage::kFinished;
  session_.OnLost();
  counters().connections.Add(-1);
  if (was_open) {
    const CloseCause cause = broken_framing_ ? CloseCause::kProtocolError : session_.cause();
    counters().closed[static_cast<size_t>(cause)].Add();
    LogEnd();
  }
  wire().Close();
  // Its place is free, though a command under way may hold the connection for a while.
  ticket_ = ConnectionLimits::Ticket();
  host_.Retire(*this);
}

void BeastConnection::LogEnd() const {
  LogLine(LogLevel::info, "connection closed")
      .With("conn", session_.connection_id())
      .With("user", session_.user())
      .With("addr", ticket_.address().ToString())
      .With("code", close_code_)
      .With("events", session_.delivered())
      .With("ms", host_.sessions().NowSteady() - since_);
}

}  // namespace

void StartConnection(TcpSocket socket, ConnectionHost& host) {
  auto connection = std::make_shared<BeastConnection>(std::move(socket), host);
  host.Adopt(connection);
  connection->Start();
}

}  // namespace msab
