#ifndef MSAB_CONTRACT_FIELD_RULE_H_
#define MSAB_CONTRACT_FIELD_RULE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "msab/v1/options.pb.h"

namespace google::protobuf {
class FieldDescriptor;
}  // namespace google::protobuf

namespace msab {

// 2^53−1: the largest number up to which every JSON reader keeps every integer exact.
inline constexpr int64_t kMaxJsonInt = (int64_t{1} << 53) - 1;

// A field's rules, as options.proto declares them, made ready to be applied. Of a list they are
// each item's, but for `min_items` and `max_items`. Immutable after Compile. Any thread.
struct FieldRule {
  static constexpr uint32_t kUnbounded = std::numeric_limits<uint32_t>::max();

  bool required = false;
  bool nullable = false;
  v1::Format format = v1::FORMAT_UNSPECIFIED;
  std::vector<std::string> allowed;  // empty: anything
  uint32_t min_bytes = 0;
  uint32_t max_bytes = kUnbounded;
  uint32_t min_characters = 0;
  uint32_t max_characters = kUnbounded;
  int64_t min = -kMaxJsonInt;
  int64_t max = kMaxJsonInt;
  uint32_t min_items = 0;
  uint32_t max_items = kUnbounded;
  v1::Audience names = v1::AUDIENCE_UNSPECIFIED;
  bool spread = false;
  std::string default_text;

  // Refuses (FAILED_PRECONDITION) a rule that doesn't fit the field. The message doesn't name the
  // field.
  static absl::StatusOr<FieldRule> Compile(const google::protobuf::FieldDescriptor& field);

  // Nothing if the value is right; else what is wrong and what would be right, without the value.
  std::optional<std::string> Problem(std::string_view value) const;
  std::optional<std::string> Problem(int64_t value) const;
  std::optional<std::string> ProblemWithSize(size_t items) const;
};

// -?[0-9]{1,30}(\.[0-9]{1,8})?
bool IsDecimal(std::string_view text);

}  // namespace msab

#endif  // MSAB_CONTRACT_FIELD_RULE_H_
