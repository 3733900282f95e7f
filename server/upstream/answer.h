#ifndef MSAB_UPSTREAM_ANSWER_H_
#define MSAB_UPSTREAM_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json/object.hpp"

namespace msab {

// What the application said of one command.
struct Verdict {
  enum class Status { kAccepted, kRejected, kRetry };

  Status status = Status::kRetry;  // also where it said nothing, or nothing that can be understood
  boost::json::object data = {};   // kAccepted
  std::string code = {};           // kRejected: [A-Z0-9_]{1,64}; "REJECTED" where it gave no such
  std::string reason = {};         // kRejected: at most 200 characters
  std::optional<int64_t> retry_after_ms = {};  // kRetry: ≥ 0, where it said so
};

// Reads the body of a 200 (contract page, section 9): a verdict for each of `ids`, in their order.
// Results of other ids, and second ones of the same, are passed over. Nothing: the body is broken,
// not one of its results can be believed. Any thread.
std::optional<std::vector<Verdict>> ReadAnswer(std::string_view body,
                                               const std::vector<std::string_view>& ids);

// Reads a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date, which is compared with
// `wall` (ms since 1970). Milliseconds ≥ 0; nothing if it is neither. Any thread.
std::optional<int64_t> ReadRetryAfter(std::string_view header, int64_t wall);

}  // namespace msab

#endif  // MSAB_UPSTREAM_ANSWER_H_
