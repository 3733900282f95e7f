#ifndef MSAB_SESSION_DOOR_H_
#define MSAB_SESSION_DOOR_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "boost/beast/http/fields.hpp"
#include "boost/beast/http/message.hpp"
#include "server/base/address.h"
#include "server/protocol/dialect.h"

namespace msab {

// An upgrade that is well-formed. Whether its origin may come in is said here, not refused: a
// browser sees no HTTP status, so that refusal is a close code (native) or a CONNECT_ERROR
// (Socket.IO) after 101.
struct Upgrade {
  DialectId dialect = DialectId::kNative;
  bool origin_allowed = false;

  // Native
  bool subprotocol = false;  // the client offered "msab.v1": answer with it
  Credentials credentials;
};

// An answer in plain HTTP; the connection closes after it.
struct HttpRefusal {
  int status = 400;
  std::string_view content_type = "text/plain";  // a literal
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

using DoorVerdict = std::variant<Upgrade, HttpRefusal>;

// Reads the head of an HTTP request at the public listener and says what it is. Knows no sockets,
// no tokens' worth, and no limits. Immutable. Any thread.
class Door {
 public:
  struct Options {
    std::vector<std::string> allowed_origins;  // empty: same host; "*": any but "null"; else exact
    std::vector<AddressRange> trusted_proxies;
  };
  using RequestHead = boost::beast::http::request_header<boost::beast::http::fields>;

  static constexpr std::string_view kSubprotocol = "msab.v1";
  static constexpr size_t kMaxHeadBytes = 8192;

  explicit Door(Options options) : options_(std::move(options)) {}

  DoorVerdict Judge(const RequestHead& head) const;

  // The client's address: the peer's, or, when the peer is a trusted proxy, the rightmost hop of
  // X-Forwarded-For that is not one.
  IpAddress ClientAddress(const RequestHead& head, const IpAddress& peer) const;

  // The refusal for a passing state (a limit reached, draining): 503 with Retry-After.
  static HttpRefusal Later(std::string_view why, int retry_after_seconds);

 private:
  bool OriginAllowed(const RequestHead& head) const;
  bool IsTrusted(const IpAddress& address) const;
  DoorVerdict JudgeNative(const RequestHead& head, std::string_view query) const;
  DoorVerdict JudgeSocketIo(const RequestHead& head, std::string_view query) const;

  // Constant after construction
  const Options options_;
};

}  // namespace msab

#endif  // MSAB_SESSION_DOOR_H_
