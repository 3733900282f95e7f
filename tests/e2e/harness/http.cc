#include "tests/e2e/harness/http.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cctype>
#include <limits>

#include "tests/e2e/harness/raw_socket.h"

namespace msab::e2e {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

HttpResponse Parse(const std::string& bytes, bool head_only) {
  namespace http = boost::beast::http;
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.skip(head_only);
  parser.body_limit(std::numeric_limits<uint64_t>::max());
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(bytes), error);
  if (error == http::error::need_more) error = {};
  if (!error && !parser.is_done()) parser.put_eof(error);
  HttpResponse response;
  if (error || !parser.is_header_done()) {
    ADD_FAILURE() << "not an HTTP response (" << error.message() << "): " << bytes.substr(0, 400);
    return response;
  }
  response.status = parser.get().result_int();
  for (const auto& field : parser.get()) {
    response.headers[Lower(std::string(field.name_string()))] = std::string(field.value());
  }
  response.body = parser.get().body();
  return response;
}

}  // namespace

HttpResponse ParseHttpResponse(const std::string& bytes) { return Parse(bytes, false); }

HttpResponse ParseHttpHead(const std::string& bytes) { return Parse(bytes, true); }

HttpResponse Fetch(const std::string& host, uint16_t port, const std::string& method,
                   const std::string& target, const Headers& headers, const std::string& body,
                   const std::string& source) {
  RawSocket socket(host, port, source);
  std::string request = method + " " + target + " HTTP/1.1\r\nHost: " + host + ":" +
                        std::to_string(port) + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : headers) request += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST") {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  socket.Send(request + "\r\n" + body);  // an early refusal may stop the sending: read on
  if (!socket.ReadToEnd()) {
    ADD_FAILURE() << method << " " << target << ": the connection was not closed";
  }
  if (socket.buffer().empty()) return {};
  return ParseHttpResponse(socket.buffer());
}

}  // namespace msab::e2e
