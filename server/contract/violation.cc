#include "server/contract/violation.h"

#include <fmt/format.h>

#include <utility>

namespace msab {
namespace {

// A path is cut after so many bytes: keys of free-form payloads are as long as emitters like.
constexpr size_t kMaxPathBytes = 256;

}  // namespace

std::string JsonPath::ToString() const {
  std::string text = parent == nullptr ? std::string() : parent->ToString();
  if (index >= 0) {
    text += fmt::format("[{}]", index);
  } else {
    if (!text.empty()) text.push_back('.');
    text += key;
  }
  return text;
}

void Violations::Add(std::string field, std::string description) {
  if (found_.size() == kMaxViolations) {
    ++more_;
    return;
  }
  found_.push_back({std::move(field), std::move(description)});
}

void Violations::Add(const JsonPath& path, std::string description) {
  if (found_.size() == kMaxViolations) {
    ++more_;
    return;
  }
  std::string field = path.ToString();
  if (field.size() > kMaxPathBytes) {
    size_t end = kMaxPathBytes;
    while (end > 0 && (static_cast<unsigned char>(field[end]) & 0xC0) == 0x80) --end;
    field.replace(end, field.npos, "…");
  }
  Add(std::move(field), std::move(description));
}

std::vector<Violation> Violations::Take() {
  if (more_ > 0) found_.push_back({"…", fmt::format("{} more violations", more_)});
  more_ = 0;
  return std::exchange(found_, {});
}

}  // namespace msab
