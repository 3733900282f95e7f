#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/baselines.h"
#include "tests/bench/child.h"

namespace msab::bench {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Control = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;
using Message = std::shared_ptr<const std::string>;
using boost::system::error_code;

// One client, as Beast's chat example has it: a queue of messages, each written whole before the
// next begins.
class BeastSession : public std::enable_shared_from_this<BeastSession> {
 public:
  explicit BeastSession(Socket socket) : stream_(std::move(socket)) {
    stream_.auto_fragment(false);
    stream_.text(true);
  }

  void Start() {
    stream_.async_accept([self = shared_from_this()](error_code error) {
      if (error) return;
      self->open_ = true;
      self->Send(std::make_shared<const std::string>(R"({"event":"live","cursor":"b-1"})"));
      self->Read();
    });
  }

  void Send(Message message) {
    if (!open_) return;
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) Write();
  }

  bool open() const { return open_; }

 private:
  void Write() {
    stream_.async_write(asio::buffer(*queue_.front()),
                        [self = shared_from_this()](error_code error, size_t) {
                          if (error) {
                            self->open_ = false;
                            return;
                          }
                          self->queue_.pop_front();
                          if (!self->queue_.empty()) self->Write();
                        });
  }

  void Read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, size_t) {
      if (error) {
        self->open_ = false;
        return;
      }
      self->buffer_.clear();
      self->Read();
    });
  }

  websocket::stream<Socket, false> stream_;
  boost::beast::flat_buffer buffer_;
  std::deque<Message> queue_;
  bool open_ = false;
};

class BeastServer {
 public:
  explicit BeastServer(size_t frame_size)
      : frame_(frame_size),
        acceptor_(context_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        control_(context_, asio::local::stream_protocol(), Child::kControlFd) {}

  void Run() {
    Announce(acceptor_.local_endpoint().port());
    Accept();
    AwaitCommand();
    context_.run();
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, Socket socket) {
      if (!error) {
        socket.set_option(asio::ip::tcp::no_delay(true));
        sessions_.push_back(std::make_shared<BeastSession>(std::move(socket)));
        sessions_.back()->Start();
      }
      Accept();
    });
  }

  void AwaitCommand() {
    control_.async_wait(Control::wait_read, [this](error_code) {
      frame_.SetNumber(NextCommand());
      const auto message = std::make_shared<const std::string>(frame_.payload());
      for (const auto& session : sessions_) session->Send(message);
      AwaitCommand();
    });
  }

  asio::io_context context_{1};
  NumberedFrame frame_;
  Acceptor acceptor_;
  Control control_;
  std::vector<std::shared_ptr<BeastSession>> sessions_;
};

}  // namespace

void ServeBeast(size_t frame_size) {
  BeastServer(frame_size).Run();
  std::_Exit(1);
}

}  // namespace msab::bench
