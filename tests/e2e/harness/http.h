#ifndef MSAB_TESTS_E2E_HARNESS_HTTP_H_
#define MSAB_TESTS_E2E_HARNESS_HTTP_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace msab::e2e {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;                              // 0: no answer, or none that HTTP allows
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Reads one response's bytes: all of it, or, of what a client must understand before it reads on
// (an answer to an upgrade), the head alone.
HttpResponse ParseHttpResponse(const std::string& bytes);
HttpResponse ParseHttpHead(const std::string& bytes);

// One request on a connection of its own.
HttpResponse Fetch(const std::string& host, uint16_t port, const std::string& method,
                   const std::string& target, const Headers& headers = {},
                   const std::string& body = "", const std::string& source = "");

}  // namespace msab::e2e

#endif  // MSAB_TESTS_E2E_HARNESS_HTTP_H_
