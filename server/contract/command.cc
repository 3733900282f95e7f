#include "server/contract/command.h"

#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/serialize.hpp"

namespace msab {

CommandError InvalidPayload(const std::vector<Violation>& violations) {
  CommandError error{"INVALID_PAYLOAD", "invalid payload: ", 0, {}};
  boost::json::array details;
  details.reserve(violations.size());
  for (const Violation& violation : violations) {
    absl::StrAppend(&error.message, details.empty() ? "" : ", ", violation.field);
    details.push_back({{"field", violation.field}, {"description", violation.description}});
  }
  error.details_json = boost::json::serialize(details);
  return error;
}

}  // namespace msab
