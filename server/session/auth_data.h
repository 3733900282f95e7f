#ifndef MSAB_SESSION_AUTH_DATA_H_
#define MSAB_SESSION_AUTH_DATA_H_

#include <optional>
#include <string>
#include <vector>

#include "boost/json/value.hpp"
#include "server/contract/violation.h"

namespace msab {

// The data of a client's `auth` command: {token, cursor?, rooms?} in a first frame, {token} to
// renew in place (contract page, sections 5 and 7). Room names are not looked at.
struct AuthData {
  std::string token;
  std::optional<std::string> cursor;
  std::optional<std::vector<std::string>> rooms;  // numbers as text: 42 is "42"

  // Fills this from `data`, which may be of any JSON kind; null counts as absent. Returns what is
  // unfit, nothing if all is well.
  std::vector<Violation> Read(const boost::json::value& data);
};

}  // namespace msab

#endif  // MSAB_SESSION_AUTH_DATA_H_
