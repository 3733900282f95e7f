#ifndef MSAB_CONTRACT_VIOLATION_H_
#define MSAB_CONTRACT_VIOLATION_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace msab {

// One violated rule of an emit or a client's command. Holds no value of the payload: it may be
// logged.
struct Violation {
  std::string field;  // path in the wire's own keys: "reward.amount", "asset_ids[3]", "target"
  std::string description;  // what was wrong and what would be right

  friend bool operator==(const Violation&, const Violation&) = default;
};

// Where a value stands in its payload: a chain on the stack, made into text only when needed.
struct JsonPath {
  const JsonPath* parent = nullptr;
  std::string_view key;
  int index = -1;  // of an item in a list, >= 0

  std::string ToString() const;
};

// Gathers violations, at most kMaxViolations (a list of thousands of bad items needs no thousands
// of complaints); a last one then says how many more there are. One thread at a time.
class Violations {
 public:
  static constexpr size_t kMaxViolations = 64;

  void Add(std::string field, std::string description);
  void Add(const JsonPath& path, std::string description);
  bool empty() const { return found_.empty(); }
  std::vector<Violation> Take();

 private:
  std::vector<Violation> found_;
  size_t more_ = 0;
};

}  // namespace msab

#endif  // MSAB_CONTRACT_VIOLATION_H_
