#include "tests/unit/http/http_client.h"

#include "absl/strings/str_cat.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"

namespace msab::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

struct HttpClient::Impl {
  asio::io_context context;
  asio::ip::tcp::socket socket{context};
  beast::flat_buffer buffer;
};

HttpClient::HttpClient(const HostPort& server) : impl_(std::make_unique<Impl>()) {
  impl_->socket.connect({asio::ip::make_address(server.host), server.port});
  // A server that never answers fails the test, not the run.
  const timeval timeout{20, 0};
  setsockopt(impl_->socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

HttpClient::~HttpClient() = default;

void HttpClient::Send(const std::string& bytes) {
  boost::system::error_code ignored;  // the server may have closed already
  asio::write(impl_->socket, asio::buffer(bytes), ignored);
}

HttpResponse HttpClient::Do(const std::string& method, const std::string& target,
                            const std::string& body, HttpHeaders headers) {
  std::string request = absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: relay\r\n");
  for (const auto& [name, value] : headers) absl::StrAppend(&request, name, ": ", value, "\r\n");
  if (!body.empty() || method == "POST") {
    absl::StrAppend(&request, "Content-Length: ", body.size(), "\r\n");
  }
  absl::StrAppend(&request, "\r\n", body);
  Send(request);
  return Read(method == "HEAD");
}

HttpResponse HttpClient::Read(bool to_head) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(size_t{64} << 20);
  parser.skip(to_head);
  boost::system::error_code error;
  http::read(impl_->socket, impl_->buffer, parser, error);
  HttpResponse response;
  if (error) {
    response.status = 0;
    return response;
  }
  response.status = parser.get().result_int();
  response.body = parser.get().body();
  for (const auto& field : parser.get()) {
    response.headers.emplace_back(field.name_string(), field.value());
  }
  response.content_type = parser.get()[http::field::content_type];
  return response;
}

bool HttpClient::ReadUntilClosed() {
  std::string scratch(4096, '\0');
  boost::system::error_code error;
  while (!error) impl_->socket.read_some(asio::buffer(scratch), error);
  return error == asio::error::eof || error == asio::error::connection_reset;
}

std::string HttpClient::ReadBytes(size_t n) {
  std::string bytes(n, '\0');
  boost::system::error_code error;
  bytes.resize(asio::read(impl_->socket, asio::buffer(bytes), error));
  return bytes;
}

}  // namespace msab::test
