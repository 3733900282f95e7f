#ifndef MSAB_SESSION_WIRE_H_
#define MSAB_SESSION_WIRE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "boost/asio/associated_executor.hpp"
#include "boost/asio/async_result.hpp"
#include "boost/asio/basic_stream_socket.hpp"
#include "boost/asio/bind_executor.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/beast/core/role.hpp"
#include "server/session/outbox.h"

namespace msab {

namespace net = boost::asio;
// Concrete executors: a type-erased one costs a few microseconds a message.
using TcpSocket = net::basic_stream_socket<net::ip::tcp, net::io_context::executor_type>;

// The stream under Beast's websocket::stream. What Beast writes (the handshake's answer, pongs,
// close frames) and the relay's own frames enter the same ordered outbox, so nobody writes to the
// socket beside anybody else, and everything that waits leaves in one gathered system call.
//
// Models Beast's AsyncStream. Owned by a connection's websocket::stream. Shard thread only.
class Wire {
 public:
  using executor_type = net::io_context::executor_type;

  // Who owns the connection and hears of its wire.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Something waits in the outbox: Flush wants to be called at the end of the shard's turn.
    virtual void OnWireDirty() = 0;
    // Beast has put a close frame into the outbox: nothing may follow it (RFC 6455 §5.5.1). `code`
    // is the frame's, 0 where it has none.
    virtual void OnWireClosing(uint16_t code) = 0;
    // The socket failed on a write; the connection is gone.
    virtual void OnWireBroken() = 0;
    // Everything that waited is written.
    virtual void OnWireDrained() = 0;
    // Keeps the owner, and with it the wire, alive while held.
    virtual std::shared_ptr<void> Share() = 0;
  };

  explicit Wire(TcpSocket socket) : socket_(std::move(socket)) {}

  void set_owner(Owner* owner) { owner_ = owner; }
  executor_type get_executor() { return socket_.get_executor(); }
  TcpSocket& socket() { return socket_; }
  Outbox& outbox() { return outbox_; }

  // Appends a frame to what waits.
  void Push(FramePtr frame) {
    outbox_.Push(std::move(frame));
    owner_->OnWireDirty();
  }

  // Writes what waits, as much as the socket takes, in one system call (more only past 1,024
  // frames). Waits for the socket if it took less.
  struct Written {
    int calls = 0;  // system calls
    size_t bytes = 0;
  };
  Written Flush();

  // Bytes read past the HTTP request's end: the next reads give them back first.
  void Unread(std::string bytes) {
    if (!bytes.empty()) extras().unread = std::move(bytes);
  }

  // Sends FIN once the outbox is empty, then reads to the peer's FIN; `done` follows. The owner's
  // close deadline bounds it.
  void Teardown(absl::AnyInvocable<void(boost::system::error_code)> done);

  // Closes the socket and ends every operation under way.
  void Close();

  template <typename MutableBufferSequence, typename ReadHandler>
  auto async_read_some(const MutableBufferSequence& buffers, ReadHandler&& handler) {
    if (extras_ != nullptr && !extras_->unread.empty()) [[unlikely]] {
      const size_t n = net::buffer_copy(buffers, net::buffer(extras_->unread));
      extras_->unread.erase(0, n);
      return Complete(n, std::forward<ReadHandler>(handler));
    }
    return socket_.async_read_some(buffers, std::forward<ReadHandler>(handler));
  }

  // Takes all it is given into the outbox and completes, so that a frame of Beast's never waits
  // half-written. Above kPatience the completion waits until the outbox is empty: Beast then reads
  // no further, so a peer that sends pings and reads no pongs cannot make it grow.
  template <typename ConstBufferSequence, typename WriteHandler>
  auto async_write_some(const ConstBufferSequence& buffers, WriteHandler&& handler) {
    const size_t size = net::buffer_size(buffers);
    if (size > 0) {
      uint8_t* data = nullptr;
      FramePtr frame = Frame::Raw(size, &data);
      net::buffer_copy(net::buffer(data, size), buffers);
      const bool closes = data[0] == kCloseFrame;
      const auto code = static_cast<uint16_t>(closes && size >= 4 ? data[2] << 8 | data[3] : 0);
      Push(std::move(frame));
      if (closes) owner_->OnWireClosing(code);
    }
    return Complete(size, std::forward<WriteHandler>(handler), outbox_.bytes() > kPatience);
  }

 private:
  static constexpr size_t kPatience = 64 * 1024;
  static constexpr uint8_t kCloseFrame = 0x88;  // FIN and opcode 8; no HTTP answer begins so

  // Completes an operation with `n` bytes from the io_context's queue (an Asio handler must not run
  // inside the call that starts its operation), at once or when the outbox is empty.
  template <typename Handler>
  auto Complete(size_t n, Handler&& handler, bool when_drained = false) {
    return net::async_initiate<Handler, void(boost::system::error_code, size_t)>(
        [this](auto token, size_t bytes, bool later) {
          auto complete = [token = std::move(token), bytes]() mutable {
            std::move(token)(boost::system::error_code(), bytes);
          };
          if (later) {
            extras().held = std::move(complete);
          } else {
            net::post(get_executor(), std::move(complete));
          }
        },
        handler, n, when_drained);
  }

  // What few connections need, and none for long.
  struct Extras {
    std::string unread;
    absl::AnyInvocable<void()> held;  // the one write of Beast's that waits for an empty outbox
  };
  Extras& extras() {
    if (extras_ == nullptr) extras_ = std::make_unique<Extras>();
    return *extras_;
  }

  void WaitWritable();
  void ReadToEnd(absl::AnyInvocable<void(boost::system::error_code)> done);

  TcpSocket socket_;
  Owner* owner_ = nullptr;
  Outbox outbox_;
  std::unique_ptr<Extras> extras_;
  bool waiting_ = false;  // for the socket to become writable
  bool tearing_ = false;  // FIN goes once the outbox is empty
};

// Beast's customisation points (found by argument-dependent lookup): the end of a WebSocket
// stream, and the abort of one.
template <typename TeardownHandler>
void async_teardown(boost::beast::role_type, Wire& wire, TeardownHandler&& handler) {
  wire.Teardown([handler = std::forward<TeardownHandler>(handler)](
                    boost::system::error_code error) mutable { std::move(handler)(error); });
}
inline void beast_close_socket(Wire& wire) { wire.Close(); }

}  // namespace msab

#endif  // MSAB_SESSION_WIRE_H_
