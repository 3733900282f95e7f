#include <string>

#include "absl/strings/str_cat.h"
#include "boost/beast/core/string.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value.hpp"
#include "server/http/http_server.h"

namespace msab {
namespace {

// The google.rpc.Code that belongs to an HTTP status the server itself gives.
int RpcCode(int http_status) {
  switch (http_status) {
    case 400:
      return 3;  // INVALID_ARGUMENT
    case 403:
      return 7;  // PERMISSION_DENIED
    case 404:
      return 5;  // NOT_FOUND
    case 405:
      return 12;  // UNIMPLEMENTED
    case 408:
    case 504:
      return 4;  // DEADLINE_EXCEEDED
    case 413:
    case 431:
      return 8;  // RESOURCE_EXHAUSTED
    case 503:
      return 14;  // UNAVAILABLE
    default:
      return 13;  // INTERNAL
  }
}

}  // namespace

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals(key, name)) return value;
  }
  return {};
}

HttpResponse HttpError(int status, std::string_view message) {
  HttpResponse response;
  response.status = status;
  response.body =
      absl::StrCat(R"({"code":)", RpcCode(status), R"(,"message":)",
                   boost::json::serialize(boost::json::string(message)), R"(,"details":[]})");
  return response;
}

}  // namespace msab
