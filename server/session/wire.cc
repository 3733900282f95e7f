#include "server/session/wire.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "boost/asio/error.hpp"

namespace msab {
namespace {

// The kernel's limit (UIO_MAXIOV).
constexpr int kMaxParts = 1024;

// The parts of the one gathered write that a thread has in its hands at a time.
thread_local std::array<iovec, kMaxParts> parts;

}  // namespace

Wire::Written Wire::Flush() {
  Written done;
  while (!outbox_.empty() && !waiting_) {
    const int n = outbox_.Gather(parts.data(), kMaxParts);
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = static_cast<size_t>(n);
    ++done.calls;
    const ssize_t written =
        n == 1 ? ::send(socket_.native_handle(), parts[0].iov_base, parts[0].iov_len,
                        MSG_NOSIGNAL | MSG_DONTWAIT)
               : ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written > 0) {
      done.bytes += static_cast<size_t>(written);
      outbox_.Consume(static_cast<size_t>(written));
      if (!outbox_.empty() && n < kMaxParts) WaitWritable();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      WaitWritable();
    } else if (errno != EINTR) {
      outbox_.DropUnbegun();
      owner_->OnWireBroken();
      return done;
    }
  }
  if (outbox_.empty()) {
    if (tearing_) {
      boost::system::error_code ignored;
      socket_.shutdown(TcpSocket::shutdown_send, ignored);
    }
    if (extras_ != nullptr && extras_->held) {
      net::post(get_executor(), std::exchange(extras_->held, nullptr));
    }
    owner_->OnWireDrained();
  }
  return done;
}

void Wire::WaitWritable() {
  waiting_ = true;
  socket_.async_wait(TcpSocket::wait_write,
                     [this, owner = owner_->Share()](boost::system::error_code error) {
                       waiting_ = false;
                       if (!error) owner_->OnWireDirty();
                     });
}

void Wire::Teardown(absl::AnyInvocable<void(boost::system::error_code)> done) {
  tearing_ = true;
  owner_->OnWireDirty();
  ReadToEnd(std::move(done));
}

void Wire::ReadToEnd(absl::AnyInvocable<void(boost::system::error_code)> done) {
  // What the peer still sends is of no interest, but leaving it unread would turn our close into a
  // reset, and that could cost the peer the close frame.
  static thread_local std::array<char, 4096> discarded;
  // `done` holds the owner, so it lives in the operation and never in the wire: an io_context that
  // ends first destroys its operations, and with them the last hold on the connection.
  socket_.async_read_some(net::buffer(discarded),
                          [this, done = std::move(done), owner = owner_->Share()](
                              boost::system::error_code error, size_t) mutable {
                            if (!error) return ReadToEnd(std::move(done));
                            done(error == net::error::eof ? boost::system::error_code() : error);
                          });
}

void Wire::Close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  // The write that waits holds the owner: it goes on, and Beast's next step meets a closed socket.
  if (extras_ != nullptr && extras_->held) {
    net::post(get_executor(), std::exchange(extras_->held, nullptr));
  }
}

}  // namespace msab
