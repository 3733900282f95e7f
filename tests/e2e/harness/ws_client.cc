#include "tests/e2e/harness/ws_client.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <functional>

namespace msab::e2e {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;

struct WsClient::Impl {
  asio::io_context io{1};
  websocket::stream<Socket, false> stream{io};
  beast::flat_buffer buffer;
  websocket::response_type response;
  bool reading = false;
  bool received = false;  // `buffer` holds a message
  bool shaken = false;
  bool ended = false;
  int pings = 0;

  // Runs handlers until `done` or the deadline; true if done.
  bool RunUntil(const std::function<bool()>& done, SteadyTime deadline) {
    while (!done()) {
      io.restart();
      if (io.run_one_until(deadline) == 0 && MillisLeft(deadline) == 0) return done();
    }
    return true;
  }

  // Runs one operation to its end; its error. Past the deadline: timed_out, and it stays pending.
  template <typename Start>
  beast::error_code Complete(Start start, SteadyTime deadline) {
    auto result = std::make_shared<std::optional<beast::error_code>>();
    start([result](beast::error_code error, auto&&...) { *result = error; });
    if (!RunUntil([&] { return result->has_value(); }, deadline)) return asio::error::timed_out;
    return result->value();
  }

  bool Write(const std::string& bytes, bool text) {
    if (!shaken || ended) return false;
    stream.text(text);
    const beast::error_code error =
        Complete([&](auto handler) { stream.async_write(asio::buffer(bytes), std::move(handler)); },
                 Deadline());
    return !error;
  }
};

WsClient::WsClient(const Options& options) : impl_(std::make_unique<Impl>()) {
  Impl& impl = *impl_;
  const SteadyTime deadline = Deadline();
  Socket& socket = impl.stream.next_layer();
  beast::error_code error;
  socket.open(Tcp::v4(), error);
  if (options.receive_buffer > 0) {
    socket.set_option(asio::socket_base::receive_buffer_size(options.receive_buffer), error);
  }
  if (!options.source.empty()) {
    socket.bind({asio::ip::make_address(options.source), 0}, error);
    EXPECT_FALSE(error) << error.message();
  }
  error = impl.Complete(
      [&](auto handler) {
        socket.async_connect({asio::ip::make_address(options.host), options.port},
                             std::move(handler));
      },
      deadline);
  if (error) {
    ADD_FAILURE() << "connect: " << error.message();
    impl.ended = true;
    return;
  }
  socket.set_option(Tcp::no_delay(true), error);
  impl.stream.set_option(
      websocket::stream_base::decorator([&options](websocket::request_type& request) {
        for (const auto& [name, value] : options.headers) request.set(name, value);
      }));
  impl.stream.control_callback([this](websocket::frame_type type, beast::string_view) {
    if (type == websocket::frame_type::ping) ++impl_->pings;
  });
  error = impl.Complete(
      [&](auto handler) {
        impl.stream.async_handshake(impl.response,
                                    options.host + ":" + std::to_string(options.port),
                                    options.target, std::move(handler));
      },
      deadline);
  impl.shaken = !error;
  impl.ended = !impl.shaken;
}

WsClient::~WsClient() = default;

bool WsClient::open() const { return impl_->shaken && !impl_->ended; }

int WsClient::http_status() const {
  return impl_->shaken ? 101 : static_cast<int>(impl_->response.result_int());
}

std::string WsClient::Header(const std::string& name) const {
  return std::string(impl_->response[name]);
}

bool WsClient::Send(const std::string& text) { return impl_->Write(text, true); }

bool WsClient::SendBinary(const std::string& bytes) { return impl_->Write(bytes, false); }

std::optional<std::string> WsClient::Receive(Millis patience) {
  Impl& impl = *impl_;
  if (!impl.shaken || impl.ended) return std::nullopt;
  if (!impl.reading) {
    impl.reading = true;
    impl.stream.async_read(impl.buffer, [&impl](beast::error_code error, size_t) {
      impl.reading = false;
      impl.received = !error;
      impl.ended = static_cast<bool>(error);
    });
  }
  impl.RunUntil([&] { return impl.received || impl.ended; }, Deadline(patience));
  if (!impl.received) return std::nullopt;
  std::string text = beast::buffers_to_string(impl.buffer.data());
  impl.buffer.clear();
  impl.received = false;
  return text;
}

bool WsClient::Close(int code) {
  Impl& impl = *impl_;
  if (!impl.shaken || impl.ended) return false;
  const beast::error_code error = impl.Complete(
      [&](auto handler) {
        impl.stream.async_close(static_cast<websocket::close_code>(code), std::move(handler));
      },
      Deadline());
  impl.ended = true;
  return !error;
}

void WsClient::Drop() {
  Socket& socket = impl_->stream.next_layer();
  beast::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
  impl_->ended = true;
}

bool WsClient::closed() const { return impl_->ended; }
int WsClient::close_code() const { return impl_->stream.reason().code; }
std::string WsClient::close_reason() const {
  return std::string(impl_->stream.reason().reason.c_str());
}
int WsClient::pings() const { return impl_->pings; }

}  // namespace msab::e2e
